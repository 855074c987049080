/**
 * What TRL and verl log of the sampler, over the responses whose sampler is known, as sums: added to batch by batch,
 * merged over parts, sent as JSON. Contract: parts that are merged give what one pass over all gives, to the last
 * digit; memory does not grow with responses.
 */
import * as v from 'valibot';
import { CORRECTIONS, correctionWeights } from '../../math/diagnostics/corrections';
import type { MomentsJson, NamedMoments } from '../../math/diagnostics/moments';
import { REJECTION_IDS } from '../../math/diagnostics/rejection';
import {
  TrlSampling,
  VerlIs,
  VerlRs,
  type TrlSamplingMetrics,
  type VerlIsMetrics,
  type VerlRsMetrics,
} from '../../math/diagnostics/sampling-metrics';
import { sequenceCount, withSampler, type Rollouts } from '../rollouts';

export interface SamplingMetrics {
  /** TRL at its default, `sequence_mask` at 3 */
  trl: TrlSamplingMetrics;
  /** verl with weights truncated at 2, of tokens and of responses */
  verl_token: VerlIsMetrics;
  verl_sequence: VerlIsMetrics;
  /** every option of verl's `rollout_rs` by itself, at the bounds of `CORRECTIONS` */
  verl_rs: VerlRsMetrics;
}

const TRUNCATED = { low: null, high: 2 } as const;

const parts = v.array(v.union([v.number(), v.picklist(['Infinity', '-Infinity', 'NaN'])]));
const momentsSchema = v.tuple([
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.nullable(v.number()),
  v.nullable(v.number()),
  parts,
  parts,
]);

/** What `toJSON` writes. */
export const samplingSchema = v.object({
  n: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  moments: v.record(v.string(), v.record(v.string(), momentsSchema)),
});

export interface SamplingJson {
  n: number;
  moments: Record<string, Record<string, MomentsJson>>;
}

export class SamplingTally {
  private n = 0;
  private readonly trl = new TrlSampling('sequence');
  private readonly token = new VerlIs('token', TRUNCATED);
  private readonly sequence = new VerlIs('sequence', TRUNCATED);
  private readonly rejections = REJECTION_IDS.map((id) => new VerlRs(id, CORRECTIONS[id]));

  private named(): [string, NamedMoments<string>][] {
    return [
      ['trl', this.trl.moments],
      ['verl_token', this.token.moments],
      ['verl_sequence', this.sequence.moments],
      ...this.rejections.map(({ moments }, k): [string, NamedMoments<string>] => [
        REJECTION_IDS[k] ?? '',
        moments,
      ]),
    ];
  }

  add(rollouts: Rollouts): void {
    const known = withSampler(rollouts);
    if (known === null) return;
    this.n += sequenceCount(known);
    this.trl.add(known, correctionWeights(known, 'sequence-mask'));
    for (const one of [this.token, this.sequence, ...this.rejections]) one.add(known);
  }

  merge(other: SamplingTally): void {
    this.n += other.n;
    const theirs = other.named();
    this.named().forEach(([, moments], k) => {
      const own = theirs[k];
      if (own) moments.merge(own[1]);
    });
  }

  /** null without a response whose sampler is known */
  metrics(): SamplingMetrics | null {
    if (this.n === 0) return null;
    return {
      trl: this.trl.metrics(),
      verl_token: this.token.metrics(),
      verl_sequence: this.sequence.metrics(),
      verl_rs: Object.assign({}, ...this.rejections.map((one) => one.metrics())) as VerlRsMetrics,
    };
  }

  toJSON(): SamplingJson {
    return {
      n: this.n,
      moments: Object.fromEntries(
        this.named().map(([name, moments]) => [name, moments.toJSON()] as const),
      ),
    };
  }

  /** @throws RangeError where figures are missing */
  static from({ n, moments }: SamplingJson): SamplingTally {
    const tally = new SamplingTally();
    tally.n = n;
    for (const [name, own] of tally.named()) {
      const json = moments[name];
      if (json === undefined) throw new RangeError(`"${name}" is missing.`);
      own.mergeJson(json);
    }
    return tally;
  }
}
