// `reduce_row` of token-stats.wgsl where threads_per_row is the whole workgroup and the device has subgroups:
// each subgroup adds up without memory, then one thread merges the subgroups' results; one barrier in all.
//
// WGSL does not say which threads share a subgroup. A subgroup's result therefore lies at the index of its
// first thread, and `leaders` has that thread's bit set; they are merged in ascending order, so that the
// sums are the same from run to run.

var<workgroup> leaders: array<atomic<u32>, 8>;

/// Leaves in parts[0] and unusable[0] what all threads of the workgroup have found.
fn reduce_row(thread: u32, lane: u32, part: Part, bad: bool) {
  let m = subgroupMax(part.m);
  let d = max(part.m - m, VANISHED);
  let e = exp(d);
  let z = subgroupAdd(part.z * e);
  let s = subgroupAdd((part.s + d * part.z) * e);
  let q = subgroupAdd(part.q * e * e);
  let any_bad = subgroupAny(bad);
  if (subgroupElect()) {
    parts[thread] = Part(m, z, s, q);
    unusable[thread] = u32(any_bad);
    atomicOr(&leaders[thread / 32u], 1u << (thread % 32u));
  }
  workgroupBarrier();
  if (thread != 0u) {
    return;
  }
  var total = Part(LOWEST, 0.0, 0.0, 0.0);
  var flags = 0u;
  for (var word = 0u; word < 8u; word++) {
    for (var left = atomicLoad(&leaders[word]); left != 0u; left &= left - 1u) {
      let leader = word * 32u + firstTrailingBit(left);
      total = merge(total, parts[leader]);
      flags |= unusable[leader];
    }
  }
  parts[0] = total;
  unusable[0] = flags;
}
