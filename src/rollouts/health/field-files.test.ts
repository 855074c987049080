/**
 * Every file that practitioners' bug reports were rebuilt as, one by one, in the same form and under the same names of
 * columns, drawn here: the finding that must appear, and those that must not, as they would send a reader elsewhere.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../../math/philox';
import { file, messageOf } from '../file/read.suite';
import { readRolloutFiles } from '../file/read';
import { HEALTHY, sound } from './faults/fault';
import { findings, jsonl, linesOf, planted, TRL, VERL, type Line, type Names } from './field.suite';
import type { RuleId } from './report';

type Packed = Uint8Array<ArrayBuffer>;
const gz = (text: string): Packed => new Uint8Array(gzipSync(text));

/** A zstd frame whose blocks are stored as they are (RFC 8878, 3.1.1). */
function zst(text: string): Packed {
  const data = new TextEncoder().encode(text);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, data.length, true);
  const parts = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0), size];
  const most = 2 ** 17;
  for (let from = 0; from < data.length; from += most) {
    const block = data.subarray(from, from + most);
    const head = (block.length << 3) | Number(from + most >= data.length);
    parts.push(Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), block);
  }
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

/** as files from the field are: flatter policies over a larger vocabulary, longer responses */
const FIELD = {
  ...HEALTHY,
  vocabulary: 120,
  sharpness: 3,
  lengths: [30, 90] as [number, number],
  update: 0.008,
};
const SAMPLED = sound({ ...FIELD, engine: 0.001 }, 11);
const PLAIN = sound({ ...FIELD, engine: null }, 11);
const columnsOf = (names: Names) => linesOf(SAMPLED, names);
const own = (line: Line, name: string) => line[name] as number[];

/** The column with other values in it. */
const changed = (
  lines: readonly Line[],
  names: readonly string[],
  made: (values: number[], i: number) => number[],
) =>
  lines.map((line, i) => ({
    ...line,
    ...Object.fromEntries(names.map((name) => [name, made(own(line, name), i)])),
  }));

interface FieldFile {
  /** files by name */
  content: Record<string, string | Packed>;
  finds: RuleId[];
  /** what would send the reader elsewhere; beside these nothing but `finds` may appear */
  never: RuleId[];
  says?: RegExp;
}

const NOTHING: RuleId[] = [
  'shifted',
  'temperature',
  'padding',
  'sampler-mismatch',
  'truncation',
  'precision',
];
const cumulative = (values: number[]) => {
  let sum = 0;
  return values.map((x) => (sum += x));
};
const TEMPERED = sound({ ...FIELD, engine: 0.001, temperature: 0.6 }, 11);
const grows = planted('growing-mismatch', 'from step 8 on');
const small = {
  group: 'a',
  logp_old: [-1.2345671, -0.6345671],
  logp_new: [-1.2445671, -0.6245671],
};
const random = new Random(24, STREAM.synthetic);
const elsewhere = linesOf(PLAIN, TRL).map((line) =>
  own(line, TRL.old).map(() => Math.min(-9, -17 + 2.5 * random.normal())),
);

const FILES: Record<string, FieldFile> = {
  '00 healthy, TRL’s names': {
    content: { 'a.jsonl.gz': gz(jsonl(columnsOf(TRL))) },
    finds: [],
    never: NOTHING,
  },
  '02 verl, old log-probs copied from the sampler': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          columnsOf(VERL).map((line) => ({ ...line, old_log_probs: line['rollout_log_probs'] })),
        ),
      ),
    },
    finds: ['copied-sampler'],
    never: ['sampler-mismatch', 'truncation', 'clipping-always'],
    says: /copied, not compared.*inside the ratio/,
  },
  '03 TRL, raw sampler beside a trainer at temperature 0.6': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          linesOf(TEMPERED, { ...TRL, old: TRL.sampler, sampler: TRL.old }).map((line) => ({
            ...line,
            [TRL.new]: own(line, TRL.old).map((x) => x * 1.0002),
          })),
        ),
      ),
    },
    finds: ['temperature'],
    never: ['truncation', 'sampler-mismatch', 'impossible-reach', 'k1-negative'],
    says: /temperature of about 0\.(5[6-9]|6[0-4])/,
  },
  '05 ms-swift, sampler shifted by one token': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(changed(columnsOf(TRL), [TRL.sampler], (values) => [...values.slice(1), -2.5])),
      ),
    },
    finds: ['shifted'],
    never: ['unrelated-columns', 'sampler-mismatch', 'temperature'],
    says: /sampler.*shifted by one token.*one ahead/,
  },
  '10 verl, padding and tool tokens under response_mask': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          columnsOf(VERL).map((line) => {
            const widen = (values: number[], by: number) => [
              ...values.slice(0, 9),
              ...new Array<number>(12).fill(by),
              ...values.slice(9),
              ...new Array<number>(20).fill(by),
            ];
            return {
              uid: line['uid'],
              old_log_probs: widen(own(line, 'old_log_probs'), 0),
              log_probs: widen(own(line, 'log_probs'), 0),
              rollout_log_probs: widen(own(line, 'rollout_log_probs'), 0),
              response_mask: widen(
                own(line, 'log_probs').map(() => 1),
                0,
              ),
              advantages: widen(
                own(line, 'log_probs').map(() => line['advantage'] as number),
                0,
              ),
              score: line['reward'],
            };
          }),
        ),
      ),
    },
    finds: [],
    never: NOTHING,
  },
  '12 SkyRL, zero placeholders without the mask': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          changed(linesOf(PLAIN, TRL), [TRL.old, TRL.new], (values) => [
            ...values,
            ...new Array<number>(15).fill(0),
          ]),
        ),
      ),
    },
    finds: ['padding'],
    never: ['filler-run', 'end-zeros', 'on-policy-noise'],
    says: /padding.*at the tail/,
  },
  '13 NeMo-RL, a step’s batches': {
    content: {
      'train_data_step7.jsonl.gz': gz(
        jsonl(
          columnsOf(TRL).map((line, i) => ({
            content: ['...'],
            rewards: [line['reward']],
            input_lengths: [own(line, TRL.old).length + 2],
            token_ids: [[1, 1000 + (i >> 3), ...own(line, TRL.old).map((_, t) => t)]],
            token_loss_mask: [[0, 0, ...own(line, TRL.old).map(() => 1)]],
            sample_loss_mask: [1],
            advantages: [[0, 0, ...own(line, TRL.old).map(() => line['advantage'])]],
            generation_logprobs: [[0, 0, ...own(line, TRL.sampler)]],
            prev_logprobs: [[0, -7.25, ...own(line, TRL.old)]],
            idx: i,
          })),
        ),
      ),
    },
    finds: [],
    never: NOTHING,
  },
  '16 verl V1, a uid per response': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          linesOf(PLAIN, TRL).map((line, i) => ({
            ...line,
            advantage: undefined,
            group: `p${i >> 3}_${i % 8}_0`,
          })),
        ),
      ),
    },
    finds: ['uid-per-response'],
    never: ['group-of-one', 'advantages-zero', 'no-signal', 'clipping-never'],
    says: /12 groups of up to 8/,
  },
  '17 slime, old log-probs in bfloat16': {
    content: { 'a.jsonl.gz': gz(jsonl(linesOf(planted('precision', 'old in bfloat16'), TRL))) },
    finds: ['precision'],
    never: ['on-policy-noise', 'sampler-mismatch', 'explosion'],
    says: /old.*bfloat16.*wrong side of the band/,
  },
  '24 MaxText, read at the token’s own position in both columns': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          linesOf(PLAIN, TRL).map((line, i) => ({
            ...line,
            [TRL.old]: elsewhere[i],
            [TRL.new]: elsewhere[i]?.map((x) => x + 0.003 * random.normal()),
          })),
        ),
      ),
    },
    finds: ['unlikely-tokens'],
    never: ['unrelated-columns', 'explosion', 'logarithm-base', 'clipping-always'],
    says: /own position/,
  },
  '26 rllm, sampler padded with zeros': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          changed(columnsOf(TRL), [TRL.sampler], (values, i) =>
            i % 2 ? values : values.map((x, t) => (t < values.length - 6 ? x : 0)),
          ),
        ),
      ),
    },
    finds: ['filler-run'],
    never: ['truncation', 'end-token', 'routing-tails', 'sampler-mismatch'],
    says: /sampler.*at the tail of 48 responses.*no top-p.*from token \d+/,
  },
  '27 Soup, one token of 199.9': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          changed(linesOf(PLAIN, TRL), [TRL.old], (values, i) =>
            values.map((x, t) => (i === 4 && t === 22 ? x - 199.9 : x)),
          ),
        ),
      ),
    },
    finds: ['overflow-token'],
    never: ['explosion', 'infinite-loss', 'filler-value', 'unlikely-tokens'],
    says: /One token overflows.*Nothing grows with length.*token 23/,
  },
  '29 vime, a folder of steps that drift': {
    content: Object.fromEntries(
      Array.from({ length: 12 }, (_, k) => {
        const lines = linesOf(grows, TRL).filter((__, i) => grows.step?.[i] === k + 1);
        const text = jsonl(lines.map((line) => ({ ...line, step: undefined })));
        return [`step${String(k + 1).padStart(3, '0')}.jsonl.gz`, gz(text)];
      }),
    ),
    finds: ['growing-mismatch'],
    never: ['sampler-mismatch', 'routing-tails', 'k1-negative'],
    says: /grows from step 8 on/,
  },
  'i06 advantages against rewards, two tokens each': {
    content: {
      'a.jsonl': jsonl(
        Array.from({ length: 40 }, (_, i) => ({
          ...small,
          group: `g${i >> 2}`,
          reward: i % 2,
          advantage: i % 2 ? -0.866 : 0.866,
        })),
      ),
    },
    finds: ['advantage-sign'],
    never: ['advantage-order', 'clipping-always', 'duplicates', 'floor-value'],
    says: /contradicts the rewards in 10 groups of 10/,
  },
  'u06 cumulative': {
    content: {
      'a.jsonl.gz': gz(jsonl(changed(linesOf(PLAIN, TRL), [TRL.old, TRL.new], cumulative))),
    },
    finds: ['cumulative'],
    never: ['unlikely-tokens', 'explosion', 'clipping-always'],
    says: /cumulative/,
  },
  'u07 one sum per response': {
    content: {
      'a.jsonl': jsonl(
        changed(linesOf(PLAIN, TRL), [TRL.old, TRL.new], (values) => [
          values.reduce((a, b) => a + b, 0),
        ]),
      ),
    },
    finds: ['sequence-sums'],
    never: ['unlikely-tokens', 'clipping-always', 'cumulative'],
    says: /sums, not tokens/,
  },
  'u09 zeros on the left': {
    content: {
      'a.jsonl.gz': gz(
        jsonl(
          changed(linesOf(PLAIN, TRL), [TRL.old, TRL.new], (values) => [
            ...new Array<number>(100 - values.length).fill(0),
            ...values,
          ]),
        ),
      ),
    },
    finds: ['padding'],
    never: ['filler-run', 'end-zeros', 'on-policy-noise'],
    says: /padding.*at the head/,
  },
  'z03 two gzip members with the same lines': {
    content: {
      'a.jsonl.gz': new Uint8Array([
        ...gz(`${jsonl(linesOf(PLAIN, TRL))}\n`),
        ...gz(jsonl(linesOf(PLAIN, TRL))),
      ]),
    },
    finds: ['duplicates'],
    never: ['uid-per-response', 'advantage-order'],
    says: /96 responses of 192 are duplicates/,
  },
  'z05 zstd': {
    content: { 'a.jsonl.zst': zst(jsonl(linesOf(PLAIN, TRL))) },
    finds: [],
    never: NOTHING,
  },
};

describe('files from the field, one by one', () => {
  it.each(Object.entries(FILES))('%s', async (_, { content, finds, never, says }) => {
    const { report, ids } = await findings(content);
    expect(ids).toEqual(finds);
    for (const id of never) expect(ids).not.toContain(id);
    const [found] = report.findings;
    if (says) expect(`${found?.title} ${found?.cause}`).toMatch(says);
    // It names what shows it, and what to change.
    if (found) expect(found.remedy).not.toBe('');
    if (found && finds[0] !== 'growing-mismatch') expect(found.responses.length).toBeGreaterThan(0);
  });

  it('10 and 12: the mask is read, and without it the clip share is another', async () => {
    const share = async (name: string) => {
      const { report } = await findings((FILES[name] as FieldFile).content);
      return report.clipping[1]?.value as number;
    };
    const clean = await share('00 healthy, TRL’s names');
    expect(await share('10 verl, padding and tool tokens under response_mask')).toBe(clean);
    const diluted = await share('12 SkyRL, zero placeholders without the mask');
    const masked = changed(linesOf(PLAIN, TRL), [TRL.old, TRL.new], (values) => [
      ...values,
      ...new Array<number>(15).fill(0),
    ]).map((line, i) => ({
      ...line,
      loss_mask: own(linesOf(PLAIN, TRL)[i] as Line, TRL.old)
        .map(() => 1)
        .concat(new Array<number>(15).fill(0)),
    }));
    const read = await findings({ 'a.jsonl': jsonl(masked) });
    expect(read.ids).toEqual([]);
    expect(read.data.maskedTokens).toBe(15 * 96);
    expect(diluted).toBeLessThan(read.report.clipping[1]?.value as number);
  });

  it('02 and 03: the figures behind them', async () => {
    const copied = await findings(
      (FILES['02 verl, old log-probs copied from the sampler'] as FieldFile).content,
    );
    expect(copied.report.findings[0]?.statistic).toBe(1);
    const hot = await findings(
      (FILES['03 TRL, raw sampler beside a trainer at temperature 0.6'] as FieldFile).content,
    );
    const reach = hot.report.findings[0]?.figures.find(({ label }) =>
      label.includes('old / sampler'),
    );
    expect(reach?.value).toBeGreaterThan(1.1);
    expect(hot.report.findings[0]?.hidden).toContain('impossible-reach');
  });

  it('14 verl’s text dump, and z18 Python’s repr, are told apart from what can be read', async () => {
    const dump = { input: 'q', output: 'a', gts: '4', score: 0, step: 12, acc: 0, uid: 's_0_0' };
    const told = (name: string, text: string) => messageOf(readRolloutFiles([file(name, text)]));
    expect(await told('12.jsonl', JSON.stringify(dump))).toMatch(
      /verl's text dump.*no log-probs.*calculate_log_probs=True/,
    );
    expect(await told('a.jsonl', "{'group': 'b', 'logp_old': [-1.5], 'ok': True}")).toMatch(
      /Python's repr, not JSON.*json\.dumps/,
    );
  });

  it('min-mask: log s is 0.001, of two and of three tokens', async () => {
    const row = (old: number[], next: number[], mask: number[], advantage: number) => ({
      uid: 'b',
      old_log_probs: old,
      log_probs: next,
      response_mask: mask,
      advantage,
    });
    const { data, ids } = await findings({
      'a.jsonl': jsonl([
        row([-2.25, -0.5, 0, 0], [-2.249, -0.499, 0, 0], [1, 1, 0, 0], 1),
        row([-1.5, -0.75, -0.25, 0], [-1.501, -0.751, -0.251, 0], [1, 1, 1, 0], -1),
      ]),
    });
    expect(ids).toEqual([]);
    const { offsets, logpOld, logpNew } = data.rollouts;
    expect(Array.from(offsets)).toEqual([0, 2, 5]);
    expect(logpNew[0] - logpOld[0]).toBeCloseTo(0.001, 12);
  });

  it('i03, i10, z15, z16, h13c: booleans, ends, columns, "data" and a batch on a line', async () => {
    const booleans = await findings({
      'a.jsonl': jsonl([
        { ...small, reward: true },
        { ...small, reward: false },
      ]),
    });
    expect([...booleans.data.rollouts.reward, booleans.ids]).toEqual([1, 0, []]);
    const ends = await findings({
      'a.jsonl': jsonl([
        { ...small, reward: 1, finish_reason: 'length' },
        { ...small, reward: 0, truncated: true },
      ]),
    });
    expect([ends.ids, ends.report.cut]).toEqual([['cut'], 1]);
    const { logp_old, logp_new } = small;
    const columns = await findings({
      'a.json': JSON.stringify({
        group: ['a', 'a'],
        logp_old: [logp_old, [-1.5]],
        logp_new: [logp_new, [-1.625]],
        reward: [1, 0],
      }),
    });
    expect([Array.from(columns.data.rollouts.offsets), columns.ids]).toEqual([[0, 2, 3], []]);
    const keyed = await findings({
      'a.json': JSON.stringify({
        data: [
          { ...small, reward: 1 },
          { ...small, reward: 0 },
        ],
      }),
    });
    expect([keyed.report.sequences, keyed.ids]).toEqual([2, []]);
    const nested = await findings({
      'a.jsonl': JSON.stringify({
        group: 'a',
        logp_old: [logp_old],
        logp_new: [logp_new],
        advantage: 1,
      }),
    });
    expect(nested.data.facts.batches).toEqual({ records: 1, responses: 1 });
    expect(nested.ids).toEqual([]);
  });

  it.each<[string, Line, [number, number]]>([
    [
      'i11 AReaL',
      {
        group: 'x',
        logprobs: [-1.25],
        prox_logp: [-1.255],
        loss_mask: [1],
        versions: [3],
        rewards: 1,
      },
      [-1.25, -1.255],
    ],
    [
      'i12 OpenRLHF',
      {
        group: 'x',
        action_log_probs: [-1.255],
        base_action_log_probs: [-1.75],
        rollout_log_probs: [-1.25],
        action_mask: [1],
        reward: 1,
      },
      [-1.25, -1.255],
    ],
    [
      'i13 slime',
      {
        group_index: 0,
        index: 3,
        tokens: [1, 2, 3],
        response_length: 1,
        rollout_log_probs: [-1.25],
        loss_mask: [1],
        log_probs: [-1.255],
        reward: 1,
        status: 'completed',
      },
      [-1.25, -1.255],
    ],
  ])('%s: its own names, read as sampler against trainer', async (_, line, [sampler, trainer]) => {
    const { data, ids } = await findings({ 'a.jsonl': jsonl([line]) });
    expect(ids).toEqual([]);
    expect(data.facts.compares).toBe('mismatch');
    expect([data.rollouts.logpOld[0], data.rollouts.logpNew[0]]).toEqual([sampler, trainer]);
  });
});
