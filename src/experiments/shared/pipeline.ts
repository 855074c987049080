/** Composes the steps of an experiment: rollouts are checked, measured, predicted, judged. */
import type { Experiment, ExperimentSteps, Verdicts } from '../experiment';
import { promptClusters } from '../../rollouts/clusters';
import { checkRollouts } from './input';

export function pipeline<Settings, Measured, Predicted extends object, Judged extends Verdicts>(
  steps: ExperimentSteps<Settings, Measured, Predicted, Judged>,
): Experiment<Settings, Predicted & Judged> {
  const { schema, defaults } = steps;
  return {
    schema,
    defaults,
    async run(rollouts, settings, context) {
      checkRollouts(rollouts);
      const measured = await steps.measure(rollouts, settings, context);
      const predicted = steps.predict(measured, settings);
      const planned = context.planned ?? promptClusters(rollouts).clusters;
      return { ...predicted, ...steps.claims(predicted, settings, planned) };
    },
  };
}
