// `best_of_row` of sampler.wgsl on any device: halving in workgroup memory, a barrier for each half.

var<workgroup> scores: array<f32, threads>;
var<workgroup> ids: array<u32, threads>;

/// The id of the workgroup's best score, NOBODY where there is none; for thread 0 only.
fn best_of_row(thread: u32, best: f32, best_id: u32) -> u32 {
  scores[thread] = best;
  ids[thread] = best_id;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      let other = thread + half;
      let higher = scores[other] > scores[thread];
      let tied = scores[other] == scores[thread] && ids[other] < ids[thread];
      if (higher || tied) {
        scores[thread] = scores[other];
        ids[thread] = ids[other];
      }
    }
  }
  return ids[0];
}
