/** The decomposition as bars: each starts where the one before ends; the total starts at 0. */
import type { Decomposition } from '../../../src/experiments/dependence';

export interface Step {
  name: string;
  /** nats^2, may be negative */
  value: number;
  from: number;
  to: number;
  kind: 'token' | 'neighbour' | 'prompt' | 'rest' | 'total';
}

export function stepsOf(parts: Decomposition): Step[] {
  const steps: Step[] = [];
  let at = 0;
  const add = (name: string, value: number, kind: Step['kind']) => {
    steps.push({ name, value, from: at, to: at + value, kind });
    at += value;
  };
  add('independent tokens', parts.withinToken, 'token');
  add('neighbouring tokens', parts.autocorrelation, 'neighbour');
  add('prompts', parts.prompt, 'prompt');
  add('rest', parts.residual, 'rest');
  steps.push({ name: 'total', value: parts.total, from: 0, to: parts.total, kind: 'total' });
  return steps;
}
