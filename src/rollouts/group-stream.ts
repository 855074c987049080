/**
 * Groups of responses in the order of their prompts, a few at a time. Where the decoder allows it, the prompts
 * after those that are wanted are already being answered, so that no row idles while the longest response of a
 * batch is finished.
 *
 * Contract: group g is what `sampleGroups` gives for it; what was begun ahead is kept from one call to the next,
 * and a call that was aborted or failed may be made again. Groups are handed out once: asking for earlier ones
 * begins anew from there.
 */
import { Decoder, ROWS } from '../policy/decoder';
import type { PolicyHost } from '../policy/host';
import type { ResidentWeights } from '../policy/session';
import {
  judgedGroups,
  promptsOf,
  sampleGroups,
  samplerSettings,
  type GroupRequest,
  type SampledGroups,
} from './sample-groups';

export interface StreamRequest extends Pick<
  GroupRequest,
  'groupSize' | 'temperature' | 'maxLength' | 'seed'
> {
  /** texts of groups first .. first + count */
  texts(first: number, count: number): string[];
  /** groups in all */
  groups: number;
}

export class GroupStream {
  private decoder: Decoder | null | undefined;
  /** the next group that nobody has been handed, and the next one that the decoder has not been given */
  private next = 0;
  private given = 0;

  /** @param weights must stay as they are */
  constructor(
    private readonly host: PolicyHost,
    readonly weights: ResidentWeights,
    private readonly request: StreamRequest,
  ) {}

  /** Response i of group g draws random numbers g * groupSize + i. */
  async take(first: number, count: number, signal?: AbortSignal): Promise<SampledGroups> {
    const { host, weights, request } = this;
    const { groupSize, temperature, maxLength, seed } = request;
    const draw = { temperature, maxLength, seed };
    const texts = request.texts(first, count);
    if (this.decoder === undefined || first !== this.next) {
      this.decoder = await Decoder.create(host.session, weights, samplerSettings(host, draw));
      this.next = first;
      this.given = first;
    }
    const { decoder } = this;
    const firstSequence = first * groupSize;
    if (decoder === null) {
      this.next = first + count;
      return sampleGroups(host, weights, { texts, groupSize, firstSequence, signal, ...draw });
    }
    while (!decoder.has(firstSequence, count * groupSize)) {
      this.give(decoder, first + count);
      await decoder.advance(signal);
    }
    this.next = first + count;
    const sampled = decoder.take(firstSequence, count * groupSize);
    return judgedGroups(host, texts, groupSize, sampled);
  }

  /** Everything before group `end`, and enough after it that the rows stay full. */
  private give(decoder: Decoder, end: number): void {
    const { groupSize, groups, texts } = this.request;
    const rows = Math.ceil(Math.max(0, ROWS - decoder.waiting) / groupSize);
    const upTo = Math.max(end, Math.min(groups, this.given + rows));
    if (upTo <= this.given) return;
    const prompts = promptsOf(this.host, texts(this.given, upTo - this.given), groupSize);
    const from = this.given * groupSize;
    decoder.add(prompts.map((prompt, i) => ({ prompt, sequence: from + i })));
    this.given = upTo;
  }
}
