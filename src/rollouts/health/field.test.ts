/**
 * Files as practitioners have them, in trainers' own names, read and judged as one: the finding that must appear
 * and no other. Small, drawn here; forms after public bug reports (docs/findings.md has the sources).
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  findings,
  HEALTHY_BATCH,
  jsonl,
  linesOf,
  planted,
  TRL,
  VERL,
  type Line,
  type Names,
} from './field.suite';
import { healthReport, type RuleId } from './report';

describe('files from the field', () => {
  it.each([
    ['TRL', TRL],
    ['verl', VERL],
  ])('a healthy file of %s raises nothing, compressed or not', async (_, names) => {
    const text = jsonl(linesOf(HEALTHY_BATCH, names));
    expect((await findings({ 'a.jsonl': text })).ids).toEqual([]);
    const packed = new Uint8Array(gzipSync(text));
    expect((await findings({ 'a.jsonl.gz': packed })).ids).toEqual([]);
  });

  it.each<[RuleId, string, Names, RegExp]>([
    ['copied-sampler', 'old is the sampler’s', VERL, /copied, not compared.*inside the ratio/],
    ['temperature', 'sampler raw, trainer at 0.6', TRL, /temperature of about 0\.(5[6-9]|6[0-4])/],
    ['shifted', 'sampler one ahead', TRL, /sampler.*shifted by one token.*one ahead/],
    ['uid-per-response', 'verl V1’s uid', TRL, /uid of its own.*12 groups of up to 8/],
    ['precision', 'old in bfloat16', TRL, /old.*bfloat16.*wrong side of the band/],
    ['unlikely-tokens', 'log-probs of the token’s own position', TRL, /own position/],
    ['filler-run', 'sampler log-probs that end early', TRL, /at the tail.*no top-p/],
    ['overflow-token', 'one token of 200', TRL, /One token overflows.*one token makes/],
    ['cumulative', 'running sums', TRL, /cumulative/],
    ['sequence-sums', 'one sum per response', TRL, /One number per response/],
    ['padding', 'zeros on the left', TRL, /padding.*at the head/],
    ['duplicates', 'every line twice', TRL, /96 responses of 192/],
    ['advantage-sign', 'a cost for a reward', TRL, /contradicts the rewards/],
  ])('%s: %s', async (id, what, names, says) => {
    const { report, ids } = await findings({
      'run.jsonl': jsonl(linesOf(planted(id, what), names)),
    });
    expect(ids.filter((one) => one !== 'clipping-always')).toEqual([id]);
    const [found] = report.findings;
    expect(`${found?.title} ${found?.cause}`).toMatch(says);
    if (found && !['uid-per-response', 'advantage-sign'].includes(id)) {
      expect(found.responses[0]?.at).toMatch(/^run\.jsonl, number \d+$/);
    }
  });

  it.each(['response_mask', 'loss_mask'])(
    '%s is read: padding does not dilute the clip share; without it the zeros are named',
    async (mask) => {
      const clean = healthReport(HEALTHY_BATCH).clipping[1]?.value;
      const padded = planted('padding', 'zeros on the right');
      const ones = (length: number) => Array.from({ length }, (_, t) => (t < length - 12 ? 1 : 0));
      const masked = linesOf(padded, VERL, (_, length) => ({ [mask]: ones(length) }));
      const read = await findings({ 'a.jsonl': jsonl(masked) });
      expect(read.ids).toEqual([]);
      expect(read.data.maskedTokens).toBe(96 * 12);
      expect(read.report.clipping[1]?.value).toBe(clean);
      const bare = await findings({ 'a.jsonl': jsonl(linesOf(padded, VERL)) });
      expect(bare.ids).toEqual(['padding']);
      expect(bare.report.clipping[1]?.value).toBeLessThan(clean);
    },
  );

  const trl = linesOf(HEALTHY_BATCH, TRL);
  const columns = Object.fromEntries(
    Object.keys(trl[0]).map((name) => [name, trl.map((line) => line[name])]),
  );
  const engines = (made: (line: Line, old: number[], ones: number[]) => Line) =>
    jsonl(
      trl.map((line) => {
        const old = line['old_per_token_logps'] as number[];
        return made(
          line,
          old,
          old.map(() => 1),
        );
      }),
    );

  it.each([
    ['a batch on one line', 'a.jsonl', JSON.stringify(columns), 'update'],
    ['columns in a document', 'a.json', JSON.stringify(columns, null, 1), 'update'],
    ['rows under "data"', 'a.json', JSON.stringify({ data: trl }), 'update'],
    [
      "NeMo-RL's batches",
      'train_data_step7.jsonl',
      engines((line, old, ones) => ({
        rewards: [line['reward']],
        token_ids: [[1000 + Number(String(line['group']).slice(1)), ...old.map((_, t) => t)]],
        token_loss_mask: [[0, ...ones]],
        sample_loss_mask: [1],
        advantages: [[0, ...ones.map(() => line['advantage'])]],
        generation_logprobs: [[0, ...(line['sampling_per_token_logps'] as number[])]],
        prev_logprobs: [[-7.25, ...old]],
      })),
      'mismatch',
    ],
    [
      "OpenRLHF's experience",
      'a.jsonl',
      engines((line, old, ones) => ({
        index: line['group'],
        action_log_probs: [...old, 0, 0],
        rollout_log_probs: [...(line['sampling_per_token_logps'] as number[]), 0, 0],
        action_mask: [...ones, 0, 0],
        rewards: line['reward'],
      })),
      'mismatch',
    ],
    [
      "slime's samples",
      'a.jsonl',
      engines((line, old, ones) => ({
        group_index: line['group'],
        tokens: [1, 2, ...old.map((_, t) => t)],
        response_length: old.length,
        rollout_log_probs: line['sampling_per_token_logps'],
        log_probs: old,
        loss_mask: ones,
        reward: line['reward'],
        status: 'completed',
      })),
      'mismatch',
    ],
  ])('%s: the healthy data is read whole and raises nothing', async (_, name, text, compares) => {
    const { data, report, ids } = await findings({ [name]: text });
    expect(ids).toEqual([]);
    expect(data.facts.compares).toBe(compares);
    const whole = HEALTHY_BATCH.rollouts;
    expect([report.sequences, report.groups, report.tokens]).toEqual([
      96,
      12,
      whole.logpOld.length,
    ]);
    const old = compares === 'update' ? whole.logpOld : whole.logpSampler;
    expect(Array.from(data.rollouts.logpOld)).toEqual(Array.from(old ?? []));
  });

  it('a mismatch that grows names its first step, from the names of the files', async () => {
    const batch = planted('growing-mismatch', 'from step 8 on');
    const lines = linesOf(batch, TRL);
    const files: Record<string, string> = {};
    for (let step = 1; step <= 12; step++) {
      const own = lines
        .filter((_, i) => batch.step?.[i] === step)
        .map((line) => ({ ...line, step: undefined }));
      files[`step${String(step).padStart(3, '0')}.jsonl`] = jsonl(own);
    }
    const { report, ids } = await findings(files);
    expect(ids).toEqual(['growing-mismatch']);
    expect(report.findings[0]).toMatchObject({ firstStep: 8 });
    expect(report.steps).toHaveLength(12);
  });

  it('masks, booleans, ends and two engines are read, and raise nothing', async () => {
    const one = {
      group: 'a',
      logp_old: [-1.1234567, -0.5234567],
      logp_new: [-1.1224567, -0.5224567],
    };
    const mask = await findings({
      'm.jsonl': jsonl([
        {
          ...one,
          logp_old: [...one.logp_old, 0, 0],
          logp_new: [...one.logp_new, 0, 0],
          response_mask: [1, 1, 0, 0],
          advantage: 1,
        },
        { ...one, advantage: -1 },
      ]),
    });
    expect(mask.ids).toEqual([]);
    expect([...mask.data.rollouts.offsets]).toEqual([0, 2, 4]);
    const booleans = await findings({
      'b.jsonl': jsonl([
        { ...one, reward: true },
        { ...one, reward: false },
      ]),
    });
    expect([...booleans.data.rollouts.reward]).toEqual([1, 0]);
    expect(booleans.ids).toEqual([]);
    // Inside both bands: two responses do not show that a band never clips.
    const inside = { ...one, logp_new: [-1.1233567, -0.5233567] };
    const two = [
      { ...inside, reward: 1 },
      { ...inside, reward: 0 },
    ];
    expect((await findings({ 'i.jsonl': jsonl(two) })).ids).toEqual([]);
    const ends = await findings({
      'e.jsonl': jsonl([
        { ...one, reward: 1, finish_reason: 'length' },
        { ...one, reward: 0, truncated: true },
        { ...one, reward: 0, finish_reason: 'stop' },
      ]),
    });
    expect(ends.report.cut).toBeCloseTo(2 / 3, 12);
    const areal = linesOf(HEALTHY_BATCH, TRL).map((line) => ({
      group: line['group'],
      logprobs: line['sampling_per_token_logps'],
      prox_logp: line['old_per_token_logps'],
      rewards: line['reward'],
    }));
    const engines = await findings({ 'areal.jsonl': jsonl(areal) });
    expect(engines.ids).toEqual([]);
    expect(engines.report.clipping).toEqual([]);
    const shifted = areal.map((line) => ({
      ...line,
      logprobs: [...(line.logprobs as number[]).slice(1), -1.5],
    }));
    expect((await findings({ 'areal.jsonl': jsonl(shifted) })).ids).toEqual(['shifted']);
  });

  it.each([
    ['probabilities', (x: number) => Math.exp(x)],
    ['negated', (x: number) => -x],
  ])('%s are refused with a word on what they are', async (what, made) => {
    const lines = linesOf(HEALTHY_BATCH, TRL).map((line) => ({
      ...line,
      old_per_token_logps: (line['old_per_token_logps'] as number[]).map(made),
    }));
    await expect(findings({ 'a.jsonl': jsonl(lines) })).rejects.toThrow(
      what === 'probabilities' ? /probabilities/ : /negated/,
    );
  });
});
