/** What is planted is named for what it is and for nothing else: the parts of Var[log s | L], each on its own. */
import { describe, expect, it } from 'vitest';
import { fixedInterval, type Measured } from '../math/stats/anytime';
import {
  averagingSums,
  correlationOfLogF,
  covariancePart,
  lengthCurve,
  logLevel,
  meanLengthSums,
  meanPromptSize,
  positionCurve,
  promptLogF,
  tokenCurve,
} from '../math/stats/averaging';
import { jackknife, jackknifeOf } from '../math/stats/jackknife';
import { lengthLaw } from '../math/stats/length-law';
import { fisherZ } from '../math/stats/statistics';
import { describeResponses } from '../math/stats/responses';
import { CLEAN, firstPrompts, plantedTokens, SPIKY, type Plan } from './planted';

function measure(plan: Partial<Plan>) {
  const { logRatio, offsets, cluster, clusters } = plantedTokens({
    ...CLEAN,
    prompts: 300,
    ...plan,
  });
  const responses = describeResponses(logRatio, offsets, cluster, clusters);
  const [level, covariance, prompt] = jackknife(averagingSums(responses), [
    logLevel,
    covariancePart,
    promptLogF(meanPromptSize(responses)),
  ]) as [Measured, Measured, Measured];
  const over = (curve: ReturnType<typeof lengthCurve>) => jackknifeOf(curve.sums, curve.slope);
  const law = lengthLaw(responses, logRatio, offsets, 48);
  return {
    level,
    covariance,
    prompt,
    slope: over(lengthCurve(responses)),
    token: over(tokenCurve(responses)),
    position: over(positionCurve(responses, logRatio, offsets)),
    mean: jackknifeOf(meanLengthSums(responses), fisherZ),
    law: law.decomposed.level,
    tilt: law.decomposed.tilt,
    naive: law.naive.level,
    parts: law.parts,
  };
}

const PARTS = ['covariance', 'prompt', 'position', 'mean', 'law', 'tilt'] as const;

/** Which of the parts' 99.9 % intervals exclude 0. */
function named(found: ReturnType<typeof measure>): string[] {
  return PARTS.filter((part) => {
    const [low, high] = fixedInterval(found[part], 0.001) as [number, number];
    return low > 0 || high < 0;
  });
}

describe('planted departures', () => {
  it.each([
    ['nothing', {}, []],
    ['spikes', { kurtosis: 250 }, []],
    ['lengths that differ within prompts', { lengthsByPrompt: false }, []],
    ['AR(1) correlation', { rho: 0.3 }, ['covariance']],
    ['a prompt effect', { tau: 0.1 }, ['prompt']],
    ['variance by position', { drift: 4 }, ['position']],
    ['a mean that moves with the length', { meanByLength: 0.2 }, ['mean']],
  ] satisfies [string, Partial<Plan>, string[]][])(
    'name %s, and nothing else',
    (_name, plan, expected) => {
      expect(named(measure(plan))).toEqual(expected);
    },
  );

  it('see all at once, and the law of the parts still predicts prompts that it never saw', () => {
    const found = measure({ rho: 0.3, tau: 0.2, drift: 4, meanByLength: 0.2 });
    expect(named(found)).toEqual(['covariance', 'prompt', 'position', 'mean']);
    expect(Math.abs(found.law.estimate)).toBeLessThan(0.1);
    const [low] = fixedInterval(found.naive, 0.001) as [number, number];
    expect(low).toBeGreaterThan(0);
    const { naive, position, covariance, prompt, mean, rest, total } = found.parts;
    expect((naive + position + covariance + prompt + mean + rest) / total).toBeCloseTo(1, 10);
    expect(Math.abs(rest) / total).toBeLessThan(0.15);
  });

  it('know a law that is wrong: a variance that depends on the response, not on its positions', () => {
    const found = measure({ spread: 0.5 });
    expect(named(found)).toContain('tilt');
    expect(found.slope.estimate).toBeCloseTo(-0.5, 1);
    expect(found.token.estimate).toBeCloseTo(0.5, 1);
  });

  it('recover what was planted', () => {
    const tau = 0.2;
    const { prompt, covariance } = measure({ tau, minLength: 40, maxLength: 40 });
    const share = correlationOfLogF(prompt.estimate, 8);
    // tau^2 / (tau^2 + sigma^2 / 40)
    expect(share).toBeCloseTo((tau * tau) / (tau * tau + 1 / 40), 1);
    expect(covariance.estimate).toBeCloseTo(0, 1);
    const rho = 0.4;
    const correlated = measure({ rho, minLength: 60, maxLength: 60 });
    let expected = 0;
    for (let k = 1; k < 60; k++) expected += 2 * (1 - k / 60) * rho ** k;
    expect(Math.abs(correlated.covariance.estimate - expected)).toBeLessThan(0.15);
    expect(Math.abs(correlated.level.estimate - Math.log1p(expected))).toBeLessThan(0.1);
  });
});

describe('planted rollouts', () => {
  it('begin alike, however long the run', () => {
    const long = plantedTokens({ ...SPIKY, prompts: 30 });
    const short = plantedTokens({ ...SPIKY, prompts: 10 });
    expect(firstPrompts(long, 10).logRatio).toEqual(short.logRatio);
    expect(firstPrompts(long, 10).offsets).toEqual(short.offsets);
  });

  it('have the kurtosis and the variance that was asked for', () => {
    const { logRatio } = plantedTokens({ ...SPIKY, prompts: 2000 });
    const second = logRatio.reduce((sum, d) => sum + d * d, 0) / logRatio.length;
    const fourth = logRatio.reduce((sum, d) => sum + d ** 4, 0) / logRatio.length;
    expect(Math.sqrt(second)).toBeCloseTo(SPIKY.sigma, 2);
    expect(fourth / second ** 2).toBeGreaterThan(220);
    expect(fourth / second ** 2).toBeLessThan(280);
  });
});
