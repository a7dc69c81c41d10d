//! Loops over the keys of a step, and keys as values of their types.

use super::code::{Code, grouped};
use super::names::field;
use super::types::{GoTypes, is_byte};
use super::{Helper, Unwritable};
use crate::scenario::{GoType, Keys, Order, StructType};

/// Opens the loop `for ... {` in which `k` is the key. `turn` is the loop variable of the repeat around it, `draw_turn`
/// the same for a generator.
pub(super) fn open(
    keys: &Keys,
    turn: Option<&str>,
    draw_turn: &str,
    types: &mut GoTypes<'_>,
    code: &mut Code,
) {
    let count = grouped(keys.count());
    match *keys {
        Keys::Range { first, end, shift, order: Order::Ascending }
        | Keys::Window { first, end, shift, .. } => match moved(first, shift, turn) {
            None => {
                let (first, end) = (grouped(first), grouped(end));
                code.open(&format!("for k := {first}; k < {end}; k++ {{"));
            }
            Some(start) => {
                code.open(&format!("for i := 0; i < {count}; i++ {{"));
                code.line(&format!("k := {start} + i"));
            }
        },
        Keys::Range { first, end, shift, order: Order::Random { seed } } => {
            types.need(Helper::Permutation);
            let order = format!("newPermutation({}, seed, {seed}, {draw_turn})", grouped(end - first));
            code.open(&format!("for i, order := 0, {order}; i < {count}; i++ {{"));
            match (moved(first, shift, turn), first) {
                (None, 0) => code.line("k := order.at(i)"),
                (None, first) => code.line(&format!("k := {} + order.at(i)", grouped(first))),
                (Some(start), _) => code.line(&format!("k := {start} + order.at(i)")),
            }
        }
        Keys::Random { below, seed, .. } => {
            types.need(Helper::Stream);
            let numbers = format!("newStream(seed, {seed}, {draw_turn})");
            code.open(&format!("for i, numbers := 0, {numbers}; i < {count}; i++ {{"));
            code.line(&format!("k := int(numbers.below({}))", grouped(below)));
        }
        Keys::Zipf { below, exponent, seed, .. } => {
            types.need(Helper::Zipf);
            let numbers =
                format!("newZipf({}, {exponent:?}, newStream(seed, {seed}, {draw_turn}))", grouped(below));
            code.open(&format!("for i, numbers := 0, {numbers}; i < {count}; i++ {{"));
            code.line("k := numbers.draw()");
        }
    }
}

/// The first key of a range that moves with each turn: `100_000 + turn*500_000`; `None` when it stays.
fn moved(first: u64, shift: u64, turn: Option<&str>) -> Option<String> {
    let turn = turn.filter(|_| shift > 0)?;
    let shift = grouped(shift);
    Some(match first {
        0 => format!("{turn}*{shift}"),
        first => format!("{} + {turn}*{shift}", grouped(first)),
    })
}

/// The value of type `go_type` that stands for key number `k`.
pub(super) fn value(go_type: &GoType, k: &str, types: &mut GoTypes<'_>) -> Result<String, Unwritable> {
    let text = types.text(go_type);
    Ok(match go_type {
        GoType::Basic(basic) => match basic.name {
            "int" => k.to_owned(),
            "bool" => format!("{k} == 1"),
            "complex64" => format!("complex(float32({k}), 0)"),
            "complex128" => format!("complex(float64({k}), 0)"),
            _ => format!("{text}({k})"),
        },
        GoType::String => {
            types.need(Helper::ConstantKey);
            format!("constantKey({k})")
        }
        GoType::Interface => format!("any({k})"),
        GoType::EmptyStruct => "struct{}{}".to_owned(),
        GoType::Array(0, _) => format!("{text}{{}}"),
        GoType::Array(length, element) if is_byte(element) => {
            let bytes = (0..(*length).min(4)).map(|byte| match byte {
                0 => format!("byte({k})"),
                byte => format!("byte({} >> {})", in_brackets(k), 8 * byte),
            });
            format!("{text}{{{}}}", bytes.collect::<Vec<_>>().join(", "))
        }
        GoType::Array(_, element) => format!("{text}{{{}}}", value(element, k, types)?),
        GoType::Named(name) => match types.declared(name) {
            Some(StructType::Fields(fields)) => {
                let found = fields.iter().find_map(|(name, of_field)| {
                    let value = value(of_field, k, types).ok().filter(|value| value.contains('k'))?;
                    Some(format!("{}: {value}", field(name)))
                });
                format!("{text}{{{}}}", found.ok_or_else(|| no_value(go_type))?)
            }
            Some(StructType::Opaque(layout)) if layout.size_bytes > 8 * u64::from(layout.pointer_slots) => {
                let length = layout.size_bytes - 8 * u64::from(layout.pointer_slots);
                let data = GoType::Array(length, Box::new(GoType::parse("byte").expect("a type")));
                format!("{text}{{data: {}}}", value(&data, k, types)?)
            }
            _ => return Err(no_value(go_type)),
        },
        GoType::Pointer(_) | GoType::Slice(_) | GoType::Map(..) | GoType::Channel(_) => {
            return Err(no_value(go_type));
        }
    })
}

fn in_brackets(k: &str) -> String {
    if k == "k" { k.to_owned() } else { format!("({k})") }
}

fn no_value(go_type: &GoType) -> Unwritable {
    Unwritable::new(format!("keys of type {go_type} cannot be made from numbers"))
}
