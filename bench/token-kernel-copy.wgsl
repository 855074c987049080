// The least that a kernel can do with every logit: read it once, write it once.

@group(0) @binding(0) var<storage, read> source: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> copy: array<vec4u>;

@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (group.y * groups.x + group.x) * 256u + thread;
  if (i < arrayLength(&source)) {
    copy[i] = source[i];
  }
}
