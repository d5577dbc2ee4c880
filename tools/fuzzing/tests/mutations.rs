//! A short run of every harness: valid samples, changed at random from a seed, in every run of the tests.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};
use strongroom_engine::decode;
use strongroom_fund::composition::Composition;
use strongroom_fuzzing::{Text, base, composition, header, record, samples};

/// Samples with changes, of each harness.
const TURNS: usize = 20_000;
/// What a reader may stumble over.
const TOKENS: [&[u8]; 16] = [
    b"\n",
    b"\r",
    b"\0",
    b"\"",
    b"\\",
    b";",
    b":",
    b",",
    b"(",
    b")",
    b"=",
    b"%",
    b"\xff",
    b"99999999999999999999",
    b"-",
    b"\xc3\xa9",
];

fn below(random: &mut Pcg64, bound: usize) -> usize {
    usize::try_from(random.next_u64() % u64::try_from(bound.max(1)).unwrap()).unwrap()
}

/// One to four changes: a bit, a byte, a piece taken out, doubled or moved, a token put in, the end cut off.
fn changed(sample: &[u8], random: &mut Pcg64) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=below(random, 3) {
        let at = below(random, bytes.len());
        let end = (at + 1 + below(random, 24)).min(bytes.len());
        match below(random, 7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << below(random, 8),
            1 if !bytes.is_empty() => bytes[at] = random.next_u64() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let piece: Vec<u8> = bytes.drain(at..end).collect();
                let to = below(random, bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => {
                let token = TOKENS[below(random, TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Runs a harness over changed samples; the share that `reads` still takes tells that the changes go deep.
fn run(samples: &[Vec<u8>], harness: fn(&[u8]), reads: fn(&[u8]) -> bool) {
    assert!(samples.iter().all(|sample| reads(sample)), "the samples are valid");
    let (mut random, mut read, mut differ) = (Pcg64::seed_from_u64(20_260_116), 0, 0);
    for turn in 0..TURNS {
        let sample = &samples[turn % samples.len()];
        let bytes = changed(sample, &mut random);
        differ += usize::from(bytes != *sample);
        read += usize::from(reads(&bytes));
        harness(&bytes);
    }
    assert!(differ > TURNS * 9 / 10, "{differ} of {TURNS} were changed");
    assert!(read > TURNS / 100, "{read} of {TURNS} were read");
}

#[test]
fn fields_of_a_request() {
    run(&[samples::request()], header, |bytes| Text::read(bytes).is_some());
    assert!(Text::read(&samples::request()).unwrap().verify().is_some(), "the sample is accepted");
}

#[test]
fn signature_bases() {
    run(&[samples::request()], base, |bytes| Text::read(bytes).is_some());
}

#[test]
fn records_of_the_log() {
    let samples = samples::RECORDS.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    run(&samples, record, |bytes| core::str::from_utf8(bytes).is_ok_and(|text| decode(text).is_ok()));
}

#[test]
fn composition_files() {
    let sample = Composition::from_json(samples::COMPOSITION.as_bytes()).unwrap();
    let forms = [sample.to_json().unwrap(), sample.to_csv().unwrap(), sample.to_fixed_width().unwrap()];
    let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
    run(&forms, composition, |bytes| {
        Composition::from_json(bytes).is_ok()
            || Composition::from_csv(bytes).is_ok()
            || Composition::from_fixed_width(bytes).is_ok()
    });
}
