/** What a check of the device comes to: a verdict in words, how long runs take, and the report that leaves. */
import type { BackendReport, DeviceReport } from '../../../src/engine/device-check';
import { bytes, count, duration, significant } from '../../format/numbers';

type Comparison = BackendReport['comparisons'][number];

export const BACKEND_NAMES = { wasm: 'WebAssembly', webgpu: 'WebGPU' } as const;

/** Not a number is not within anything. */
export const isOff = ({ by, allowed }: Comparison): boolean => !(by <= allowed);

export const isSound = ({ failed, comparisons }: BackendReport): boolean =>
  failed === null && comparisons.length > 0 && !comparisons.some(isOff);

/** Responses of the default run, and tokens of a response of the shipped policies. */
const RUN = { responses: 512, tokens: 37 };

/** Seconds of the default run: each response is sampled, and scored under the new policy. */
export function runSeconds({ speed }: BackendReport): number | null {
  if (speed === null) return null;
  const tokens = RUN.responses * RUN.tokens;
  return tokens / speed.sampling + tokens / speed.scoring;
}

export interface Finding {
  tone: 'good' | 'bad';
  /** one sentence or two */
  words: string;
}

/** What a person wants to know first. */
export function findingOf(report: DeviceReport): Finding {
  const sound = report.backends.filter(isSound);
  const wrong = report.backends.filter((own) => !isSound(own));
  const told = wrong.map(({ backend, failed, comparisons }) => {
    const name = BACKEND_NAMES[backend];
    if (failed !== null) return `${name} failed: ${failed}`;
    const off = comparisons.filter(isOff).map(({ what }) => what);
    return `${name} is off on ${off.join(', ')}; the lab does not use it.`;
  });
  if (sound.length === 0) {
    const why = told.length > 0 ? told.join(' ') : 'Nothing could be checked.';
    return { tone: 'bad', words: `The lab cannot work on this device. ${why}` };
  }
  const fastest = sound
    .map((own) => ({ own, seconds: runSeconds(own) }))
    .filter((one): one is { own: BackendReport; seconds: number } => one.seconds !== null)
    .sort((a, b) => a.seconds - b.seconds)[0];
  const takes =
    fastest === undefined
      ? ''
      : ` The default run of ${RUN.responses} responses takes about ${duration(fastest.seconds)} of computing on ${BACKEND_NAMES[fastest.own.backend]}.`;
  const { adapter } = report;
  const software =
    typeof adapter !== 'string' && adapter.software
      ? ' The GPU is a software one, far slower: the lab uses WebAssembly here.'
      : '';
  const names = sound.map(({ backend }) => BACKEND_NAMES[backend]).join(' and ');
  const right = sound.length === 1 ? 'computes what it should' : 'compute what they should';
  const rest = told.length === 0 ? '' : ` ${told.join(' ')}`;
  return {
    tone: wrong.length === 0 ? 'good' : 'bad',
    words: `${names} ${right}.${takes}${software}${rest}`,
  };
}

export interface Fact {
  name: string;
  value: string;
}

/** What the browser says of itself; what it does not say is left out. */
export function browserFacts(): Fact[] {
  const { userAgent, hardwareConcurrency } = navigator;
  const { deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  return [
    { name: 'browser', value: userAgent },
    { name: 'processor', value: `${hardwareConcurrency} threads` },
    ...(deviceMemory === undefined
      ? []
      : [{ name: 'memory', value: `${deviceMemory} GB or more` }]),
    { name: 'secure context', value: isSecureContext ? 'yes' : 'no' },
  ];
}

export function adapterFacts({ adapter }: DeviceReport): Fact[] {
  if (typeof adapter === 'string') return adapter === '' ? [] : [{ name: 'GPU', value: adapter }];
  return [
    { name: 'GPU', value: `${adapter.name}${adapter.software ? ' (software)' : ''}` },
    { name: 'features', value: adapter.features.join(', ') || 'none that are optional' },
    { name: 'largest buffer', value: bytes(adapter.maxBufferSize) },
    { name: 'largest binding', value: bytes(adapter.maxStorageBufferBindingSize) },
  ];
}

export const offWords = ({ by, allowed }: Comparison): string => {
  if (!Number.isFinite(by)) return 'no number';
  if (allowed === 0) return by === 0 ? 'none differs' : `${count(by)} differ`;
  return by === 0 ? '0' : significant(by, 2);
};

/** For a mail to whoever helps. */
export function textOf(report: DeviceReport, facts: readonly Fact[], app: string): string {
  const lines = [`GSPO Lab ${app}: check of a device`, findingOf(report).words, ''];
  for (const { name, value } of [...facts, ...adapterFacts(report)])
    lines.push(`${name}: ${value}`);
  for (const { sampler, tokens, bias, spread, largest } of report.mismatch) {
    lines.push(
      `sampled on ${BACKEND_NAMES[sampler]}, scored on the other: bias ${significant(bias, 2)}, ` +
        `spread ${significant(spread, 2)}, largest ${significant(largest, 2)} nats of ${count(tokens)} tokens`,
    );
  }
  for (const { backend, comparisons, speed, failed } of report.backends) {
    lines.push('', BACKEND_NAMES[backend]);
    if (speed !== null) {
      lines.push(
        `  samples ${count(Math.round(speed.sampling))} tokens/s (${speed.rows} responses at a time), ` +
          `scores ${count(Math.round(speed.scoring))} tokens/s`,
      );
    }
    for (const one of comparisons) {
      const allowed = one.allowed === 0 ? '' : ` (allowed ${significant(one.allowed, 2)})`;
      lines.push(`  ${isOff(one) ? 'OFF ' : 'ok  '}${one.what}: ${offWords(one)}${allowed}`);
    }
    if (failed !== null) lines.push(`  failed: ${failed}`);
  }
  return `${lines.join('\n')}\n`;
}
