// `best_of_row` of sampler.wgsl where the device has subgroups: each subgroup finds its best without memory and
// enters it with two atomics, the score as an integer of the same order; two barriers in all, whatever threads
// share a subgroup.

var<workgroup> best_key: atomic<u32>;
// what is left of NOBODY after the winner's id, so that the lowest id is the largest
var<workgroup> best_rest: atomic<u32>;

const MINUS_ZERO = 0x80000000u;

/// Larger for larger scores; -0 and 0 are one score.
fn order_of(score: f32) -> u32 {
  let bits = bitcast<u32>(score);
  return select(~bits, bits | 0x80000000u, bits <= MINUS_ZERO);
}

/// The id of the workgroup's best score, NOBODY where there is none; for thread 0 only.
fn best_of_row(thread: u32, best: f32, best_id: u32) -> u32 {
  let key = order_of(best);
  let highest = subgroupMax(key);
  if (subgroupElect()) {
    atomicMax(&best_key, highest);
  }
  workgroupBarrier();
  let mine = subgroupMin(select(NOBODY, best_id, key == atomicLoad(&best_key)));
  if (subgroupElect()) {
    atomicMax(&best_rest, NOBODY - mine);
  }
  workgroupBarrier();
  return NOBODY - atomicLoad(&best_rest);
}
