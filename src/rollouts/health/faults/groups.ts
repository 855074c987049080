/** Faults of groups, rewards and advantages. */
import { change, sampler, type Batch, type Planted } from './fault';

function alone(batch: Batch, name: (i: number) => string): Batch {
  const n = batch.rollouts.group.length;
  return {
    ...batch,
    groupIds: Array.from({ length: n }, (_, i) => name(i)),
    rollouts: {
      ...batch.rollouts,
      group: Uint32Array.from({ length: n }, (_, i) => i),
      advantage: new Float64Array(n),
      prompts: Array.from({ length: n }, (_, i) => name(i)),
    },
  };
}

export const GROUP_FAULTS: readonly Planted[] = [
  {
    id: 'advantage-sign',
    what: 'a cost for a reward, of one prompt',
    fault: change((r) => ({ advantage: r.advantage.map((x) => -x) })),
    recipe: { prompts: 1 },
    says: 'contradicts the rewards in 1 group',
  },
  {
    id: 'duplicates',
    what: 'every line twice',
    fault: (batch) => {
      const { rollouts } = batch;
      const tokens = rollouts.logpOld.length;
      const twice = (x: ArrayLike<number>) =>
        Float64Array.from([...Array.from(x), ...Array.from(x)]);
      return {
        rollouts: {
          ...rollouts,
          offsets: Uint32Array.from([
            ...rollouts.offsets,
            ...[...rollouts.offsets.slice(1)].map((x) => x + tokens),
          ]),
          tokenIds: Int32Array.from(twice(rollouts.tokenIds)),
          logpOld: twice(rollouts.logpOld),
          logpNew: twice(rollouts.logpNew),
          logpSampler: twice(sampler(rollouts)),
          group: Uint32Array.from(twice(rollouts.group)),
          reward: twice(rollouts.reward),
          advantage: twice(rollouts.advantage),
          finished: new Uint8Array(2 * rollouts.group.length),
        },
        facts: { endKnown: new Uint8Array(2 * rollouts.group.length) },
      };
    },
    says: /96 responses of 192 are duplicates/,
    recipe: { sharpness: 2 },
  },
  {
    id: 'duplicates',
    what: 'a group again under another name',
    fault: (batch) => {
      const { rollouts } = batch;
      const logpOld = Float64Array.from(rollouts.logpOld);
      const logpNew = Float64Array.from(rollouts.logpNew);
      const { offsets } = rollouts;
      // Of the same length, so that the last group can be the first.
      for (const column of [logpOld, logpNew]) {
        column.copyWithin(offsets[88], offsets[0], offsets[8]);
      }
      return { ...batch, rollouts: { ...rollouts, logpOld, logpNew } };
    },
    recipe: { lengths: [40, 40], sharpness: 2, engine: null },
    says: /8 responses of 96 are duplicates/,
  },
  {
    id: 'uid-per-response',
    what: 'verl V1’s uid',
    fault: (batch) => alone(batch, (i) => `p${i >> 3}_${i % 8}_0`),
    says: 'uid',
  },
  {
    id: 'uid-per-response',
    what: 'a counter behind the prompt’s own',
    fault: (batch) => alone(batch, (i) => `traj_${i >> 3}_${i % 8}`),
    says: 'make 12 groups of up to 8',
  },
  {
    id: 'uid-per-response',
    what: 'a random uid beside the texts of the prompts',
    fault: (batch) => ({
      ...alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`),
      facts: { ...batch.facts, prompts: { groups: 96, texts: 12 } },
    }),
    says: 'prompts make 12 groups',
  },
  {
    id: 'group-of-one',
    what: 'a random uid, advantages of the trainer’s groups',
    fault: (batch) => {
      const { advantage } = batch.rollouts;
      const { rollouts, ...rest } = alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`);
      return { ...rest, rollouts: { ...rollouts, advantage } };
    },
    says: 'taken over other groups than these',
  },
  {
    id: 'group-of-one',
    what: 'a random uid',
    fault: (batch) => alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`),
    says: 'one response',
  },
  {
    id: 'advantage-sign',
    what: 'a cost for a reward',
    fault: change((r) => ({ advantage: r.advantage.map((x) => -x) })),
    says: 'contradicts the rewards',
  },
  {
    id: 'advantage-sign',
    what: 'every third group turned round',
    fault: change((r) => ({
      advantage: r.advantage.map((x, i) => (r.group[i] % 3 ? x : -x)),
    })),
    says: /contradicts the rewards in \d of 1\d groups|contradicts the rewards in \d groups/,
  },
  {
    id: 'advantage-order',
    what: 'advantages in another order of responses',
    fault: change((r) => ({
      advantage: r.advantage.map((_, i) => r.advantage[(i * 37 + 11) % r.advantage.length] ?? 0),
    })),
    says: 'do not follow from the rewards',
  },
  {
    id: 'advantage-size',
    what: 'a divisor of nearly 0',
    fault: change((r) => ({ advantage: r.advantage.map((x, i) => (i === 5 ? 4e4 : x)) })),
    says: 'impossible size',
    beside: ['advantage-sign'],
  },
  {
    id: 'advantages-zero',
    what: 'equal rewards',
    fault: change((r) => ({
      reward: r.reward.map(() => 1),
      advantage: r.advantage.map(() => 0),
    })),
    says: 'All advantages are 0',
  },
  {
    id: 'advantages-zero',
    what: 'one number for all',
    fault: change((r) => ({ advantage: r.advantage.map(() => 0.3) })),
    says: /All advantages are the same, 0\.3/,
  },
  {
    id: 'no-signal',
    what: 'three groups of four are solved by all',
    fault: change((r) => ({ advantage: r.advantage.map((x, i) => ((i >> 3) % 4 ? 0 : x)) })),
    says: 'no signal',
  },
  {
    id: 'cut',
    what: 'a third at the limit',
    fault: (batch) => ({
      ...change((r) => ({ finished: r.finished.map((_, i) => (i % 3 ? 1 : 0)) }))(batch, 0),
      facts: { endKnown: new Uint8Array(batch.rollouts.group.length).fill(1) },
    }),
    says: '33.3 %',
  },
];
