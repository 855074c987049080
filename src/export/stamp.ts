/** A stamp as lines of text, for files that are not JSON. */
import type { Stamp } from '../rollouts/stamp';

export { stampSchema, type Stamp } from '../rollouts/stamp';

const PAPER = 'https://arxiv.org/abs/2510.23142';

/** One line per fact, without line ends. */
export function stampLines(stamp: Stamp): string[] {
  const { app, exportedAt, source, link, seed, policies, backend } = stamp;
  const lines = [`GSPO Lab ${app}, ${PAPER}`, `source: ${source}`];
  if (link !== null) lines.push(`link: ${link}`);
  if (seed !== null) lines.push(`seed: ${seed}`);
  for (const policy of policies) lines.push(`sha256 ${policy.name}: ${policy.sha256}`);
  if (backend !== null) {
    const { policy, kernels, adapter, threads } = backend;
    lines.push(
      `backend: policy on ${policy}, kernels on ${kernels}, ${adapter}, threads ${threads}`,
    );
  }
  lines.push(`exported: ${exportedAt}`);
  return lines.map((line) => line.replaceAll(/[\r\n]+/g, ' '));
}
