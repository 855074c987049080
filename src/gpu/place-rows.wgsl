// Rows that lie end to end are copied to the beginnings of longer rows: 32-bit words of any meaning.

struct Params {
  rows: u32,
  length: u32,
  stride: u32,
}

@group(0) @binding(0) var<storage, read> from_rows: array<u32>;
@group(0) @binding(1) var<storage, read_write> to_rows: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) {
    return;
  }
  for (var i = thread; i < params.length; i += 256u) {
    to_rows[row * params.stride + i] = from_rows[row * params.length + i];
  }
}
