//! Who may touch the fund and with which key: principals, credentials and their lives, authorisation, and the replay
//! window that lets nothing in twice.
