import { describe, expect, it } from 'vitest';
import { EXPERIMENT_IDS } from '../experiments/manifest';
import { runExperiment } from '../experiments/registry';
import { DEFAULT_SYNTHETIC } from '../settings/run';
import { cpuKernels } from '../math/cpu-kernels';
import { promptClusters } from './clusters';
import { concatRollouts, type Rollouts } from './rollouts';
import { syntheticRollouts } from './synthetic';

const draw = (prompts: number): Rollouts =>
  syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts, maxLength: 64, tau: 0.05 });

describe('clusters', () => {
  it('are prompts by their text, however often a prompt was drawn', () => {
    const rollouts = { ...draw(6), prompts: ['1+1=', '1+2=', '1+1=', '', '1+2=', ''] };
    const { cluster, clusters } = promptClusters(rollouts);
    expect(clusters).toBe(4);
    const perGroup = [0, 1, 2, 3, 4, 5].map((g) => cluster[rollouts.group.indexOf(g)]);
    expect(perGroup).toEqual([0, 1, 0, 2, 1, 3]);
  });

  it('reach across batches, which groups do not', () => {
    const batch = { ...draw(1), prompts: ['1+1='] };
    const both = concatRollouts([batch, { ...batch, prompts: ['1+1='] }]);
    expect(new Set(both.group).size).toBe(2);
    expect(new Set(promptClusters(both).cluster).size).toBe(1);
  });

  it('decide every interval: one prompt drawn twice is not two prompts', async () => {
    const once = draw(40);
    // the same responses, as if each prompt had been drawn twice with half as many responses
    const twice: Rollouts = {
      ...once,
      group: once.group.map((g, i) => 2 * g + (i % 2)),
      prompts: once.prompts.flatMap((text) => [text, text]),
    };
    const context = { kernels: cpuKernels, seed: 1, replications: 99 };
    for (const id of EXPERIMENT_IDS) {
      const [a, b] = [
        await runExperiment(id, once, undefined, context),
        await runExperiment(id, twice, undefined, context),
      ];
      expect(b.claims, id).toEqual(a.claims);
    }
  });
});
