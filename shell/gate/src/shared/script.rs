//! What is asked of Redis in one step each, as Lua scripts: a script runs alone, so what it checks is so when it writes.

/// Finds the era or begins one.
///
/// KEYS: the era. ARGV: run id; replication id; chance; the asker's clock; seconds from the clocks to the watermark; the
/// era that must not go on, or nothing. Gives the era's name and Redis's clock; an error if the history is another by now.
///
/// An era goes on only while it names this process and this history of writes. A new one keeps the watermark of the
/// former if that is later.
pub const OPEN: &str = r"
local history = redis.call('INFO', 'replication'):match('master_replid:(%x+)')
if history ~= ARGV[2] then return redis.error_reply('STRONGROOM another history') end
local names = ARGV[1] .. ':' .. ARGV[2] .. ':'
local now = tonumber(redis.call('TIME')[1])
local era = redis.call('GET', KEYS[1])
if era and era ~= ARGV[6] and era:sub(1, #names) == names then return {era, now} end
local watermark = math.max(now, tonumber(ARGV[4])) + tonumber(ARGV[5])
local former = era and tonumber(era:match(':(%d+)$'))
if former and former > watermark then watermark = former end
era = names .. ARGV[3] .. ':' .. string.format('%.0f', watermark)
redis.call('SET', KEYS[1], era)
return {era, now}
";

/// Sets the nonces of a group, if the era goes on.
///
/// KEYS: the era; a key for each nonce. ARGV: the era's name; its history; seconds for which a nonce is remembered after
/// its second; the second of each. Gives 1 or 0 for the era, Redis's clock, and for each nonce 1 where it was new, 0 where
/// it was used, 2 where it would be forgotten already.
pub const SET: &str = r"
local replication = redis.call('INFO', 'replication')
local time = redis.call('TIME')
local goes_on = redis.call('GET', KEYS[1]) == ARGV[1]
  and replication:match('master_replid:(%x+)') == ARGV[2]
  and replication:match('role:(%a+)') == 'master'
if not goes_on then return {0, tonumber(time[1])} end
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local answer = {1, tonumber(time[1])}
for place = 2, #KEYS do
  local left = (tonumber(ARGV[place + 2]) + tonumber(ARGV[3]) + 1) * 1000 - now
  local is_new
  if left <= 0 then
    is_new = 2
  elseif redis.call('SET', KEYS[place], '', 'NX', 'PX', string.format('%.0f', left)) then
    is_new = 1
  else
    is_new = 0
  end
  answer[place + 1] = is_new
end
return answer
";

/// A value of `INFO`.
pub fn info<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

/// The watermark in an era's name.
pub fn watermark_of(era: &str) -> Option<i64> {
    era.rsplit(':').next()?.parse().ok()
}

/// The history in an era's name.
pub fn history_of(era: &str) -> Option<&str> {
    era.split(':').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_info_is_read() {
        let text = "# Server\r\nrun_id:ab\r\nrun_id_of_another:cd\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!((info(text, "run_id"), info(text, "maxmemory_policy")), ("ab", "noeviction"));
        assert_eq!(info(text, "role"), "");
    }

    #[test]
    fn an_eras_name_is_read() {
        assert_eq!(watermark_of("ab:cd:ef:1800000010"), Some(1_800_000_010));
        assert_eq!(history_of("ab:cd:ef:1800000010"), Some("cd"));
        assert_eq!(watermark_of("nonsense"), None);
    }
}
