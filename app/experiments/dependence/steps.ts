/** The decomposition as bars: each starts where the one before ends; the total starts at 0. */
import type { Decomposition } from '../../../src/experiments/dependence';

export interface Step {
  name: string;
  /** nats^2, may be negative */
  value: number;
  from: number;
  to: number;
  kind: 'token' | 'position' | 'neighbour' | 'prompt' | 'mean' | 'rest' | 'total';
}

export function stepsOf(parts: Decomposition): Step[] {
  const steps: Step[] = [];
  let at = 0;
  const add = (name: string, value: number, kind: Step['kind']) => {
    steps.push({ name, value, from: at, to: at + value, kind });
    at += value;
  };
  add('independent tokens', parts.naive, 'token');
  add('variance by position', parts.position, 'position');
  add('covariance of tokens', parts.covariance, 'neighbour');
  add('prompts', parts.prompt, 'prompt');
  add('mean by length', parts.mean, 'mean');
  add('rest', parts.rest, 'rest');
  steps.push({ name: 'total', value: parts.total, from: 0, to: parts.total, kind: 'total' });
  return steps;
}
