/**
 * Groups of responses, a range of prompts at a time. Where the decoder allows it, ranges that were announced are
 * already being answered, so that no row idles while the longest response of a range is finished.
 *
 * Contract: group g is what `sampleGroups` gives for it, whatever was announced and in whatever order; what was
 * begun ahead is kept from one call to the next, and a call that was aborted or failed may be made again. Groups
 * are handed out once: asking for them again begins them anew.
 */
import { Decoder, ROWS } from '../policy/decoder';
import type { ResidentWeights } from '../policy/session';
import {
  judgedGroups,
  promptsOf,
  sampleGroups,
  samplerSettings,
  type GroupRequest,
  type Speaker,
  type SampledGroups,
} from './sample-groups';

export interface StreamRequest extends Pick<
  GroupRequest,
  'groupSize' | 'temperature' | 'topP' | 'maxLength' | 'seed' | 'verify'
> {
  /** texts of groups first .. first + count */
  texts(first: number, count: number): string[];
}

/** Groups first .. first + count. */
export interface GroupRange {
  first: number;
  count: number;
}

export class GroupStream {
  private decoder: Promise<Decoder | null> | undefined;
  /** what the decoder has not been given yet */
  private announced: GroupRange[] = [];
  /** groups that the decoder has, by the first of their range */
  private readonly given = new Set<number>();

  /** @param weights must stay as they are */
  constructor(
    private readonly host: Speaker,
    readonly weights: ResidentWeights,
    private readonly request: StreamRequest,
  ) {}

  /** They will be taken later, as these very ranges: rows that would idle may begin them. */
  announce(ranges: readonly GroupRange[]): void {
    for (const range of ranges) {
      const known = this.announced.some(({ first }) => first === range.first);
      if (!known && !this.given.has(range.first)) this.announced.push(range);
    }
  }

  /** Response i of group g draws random numbers g * groupSize + i. */
  async take(range: GroupRange, signal?: AbortSignal): Promise<SampledGroups> {
    const { host, weights, request } = this;
    const { groupSize, temperature, topP, maxLength, seed, verify } = request;
    const { first, count } = range;
    const draw = { temperature, topP, maxLength, seed };
    const texts = request.texts(first, count);
    const firstSequence = first * groupSize;
    this.decoder ??= Decoder.create(host.session, weights, samplerSettings(host, draw));
    const decoder = await this.decoder;
    if (decoder === null) {
      return sampleGroups(host, weights, {
        texts,
        groupSize,
        firstSequence,
        signal,
        verify,
        ...draw,
      });
    }
    if (!this.given.has(first)) this.give(decoder, range);
    while (!decoder.has(firstSequence, count * groupSize)) {
      this.keepFull(decoder);
      await decoder.advance(signal);
    }
    this.given.delete(first);
    const sampled = decoder.take(firstSequence, count * groupSize);
    return judgedGroups(host, texts, groupSize, sampled, verify);
  }

  private keepFull(decoder: Decoder): void {
    while (decoder.waiting < ROWS && this.announced.length > 0) {
      this.give(decoder, this.announced[0]);
    }
  }

  private give(decoder: Decoder, { first, count }: GroupRange): void {
    const { groupSize, texts } = this.request;
    this.announced = this.announced.filter((other) => other.first !== first);
    this.given.add(first);
    const prompts = promptsOf(this.host, texts(first, count), groupSize);
    const from = first * groupSize;
    decoder.add(prompts.map((prompt, i) => ({ prompt, sequence: from + i })));
  }
}
