//! Labels along one line, moved as little as possible so that none overlaps its neighbour.
//!
//! Each label wants its middle at some place and needs some length. Labels that would touch form a block, and a block
//! lies where the mean of its members' wishes is: the least sum of squared moves (isotonic regression by pooling
//! adjacent violators), found in one pass.

/// A label on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// Where its middle should be.
    pub wish: f32,
    /// How much room it needs, distance to the neighbour included.
    pub length: f32,
}

/// A run of labels that lie edge to edge, from `start`.
struct Block {
    start: f32,
    length: f32,
    members: usize,
}

/// The middles of `items`, in the order given, each within `low..high` and none overlapping. Labels with nearer wishes
/// stay neighbours; of equal wishes the earlier item comes first. When they need more room than there is, all of
/// them are shrunk in proportion (their middles then lie closer than they need).
pub fn spread(items: &[Item], low: f32, high: f32) -> Vec<f32> {
    let needed: f32 = items.iter().map(|item| item.length).sum();
    let shrink = if needed > high - low { ((high - low) / needed).max(0.0) } else { 1.0 };
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| items[*a].wish.total_cmp(&items[*b].wish));
    let mut blocks: Vec<Block> = Vec::new();
    for index in &order {
        let length = items[*index].length * shrink;
        let start = (items[*index].wish - length / 2.0).min(high - length).max(low);
        blocks.push(Block { start, length, members: 1 });
        while let [.., first, second] = blocks.as_slice() {
            if first.start + first.length <= second.start {
                break;
            }
            let merged = merge(first, second, low, high);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let mut middles = vec![0.0; items.len()];
    let mut next = order.into_iter();
    for block in &blocks {
        let mut edge = block.start;
        for index in next.by_ref().take(block.members) {
            let length = items[index].length * shrink;
            middles[index] = edge + length / 2.0;
            edge += length;
        }
    }
    middles
}

/// Two blocks edge to edge, where the mean of their members' wishes puts them.
fn merge(first: &Block, second: &Block, low: f32, high: f32) -> Block {
    let members = first.members + second.members;
    let length = first.length + second.length;
    // The second block's members wish the joint block to begin one first-block length before their own start.
    let wishes = first.start * first.members as f32 + (second.start - first.length) * second.members as f32;
    let start = (wishes / members as f32).min(high - length).max(low);
    Block { start, length, members }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(wishes: &[f32], length: f32) -> Vec<Item> {
        wishes.iter().map(|wish| Item { wish: *wish, length }).collect()
    }

    #[test]
    fn labels_with_room_stay_where_they_want_to_be() {
        assert_eq!(spread(&items(&[10.0, 50.0, 90.0], 20.0), 0.0, 100.0), [10.0, 50.0, 90.0]);
    }

    #[test]
    fn labels_that_touch_move_apart_by_the_same_distance() {
        // Two labels of 20 around 50: 40 and 60.
        assert_eq!(spread(&items(&[50.0, 50.0], 20.0), 0.0, 100.0), [40.0, 60.0]);
    }

    #[test]
    fn labels_at_the_edge_are_pushed_inwards() {
        assert_eq!(spread(&items(&[100.0, 99.0], 20.0), 0.0, 100.0), [90.0, 70.0]);
    }

    #[test]
    fn too_many_labels_share_the_room_evenly() {
        assert_eq!(spread(&items(&[0.0, 0.0, 0.0, 0.0], 50.0), 0.0, 100.0), [12.5, 37.5, 62.5, 87.5]);
    }

    proptest! {
        #[test]
        fn labels_never_overlap_nor_leave_nor_swap(
            labels in prop::collection::vec((-200f32..1200.0, 1f32..60.0), 1..16),
        ) {
            let items: Vec<Item> = labels.iter().map(|(wish, length)| Item { wish: *wish, length: *length }).collect();
            // At most 15 labels of 60: they fit into 1000.
            let middles = spread(&items, 0.0, 1000.0);
            for (item, middle) in items.iter().zip(&middles) {
                prop_assert!(middle - item.length / 2.0 >= -0.01 && middle + item.length / 2.0 <= 1000.01);
            }
            for (a, middle_a) in items.iter().zip(&middles) {
                for (b, middle_b) in items.iter().zip(&middles) {
                    if a.wish < b.wish {
                        let gap = middle_b - middle_a - (a.length + b.length) / 2.0;
                        prop_assert!(gap >= -0.01, "{middle_a} and {middle_b} overlap by {gap}");
                    }
                }
            }
        }
    }
}
