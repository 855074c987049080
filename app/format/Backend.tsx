/** Which backend does the work, and why; the same words for the lab's run and for a race. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import type { BackendInfo } from '../../src/engine/lab/protocol';

const POLICY_NAMES: Record<BackendInfo['policy'], string> = {
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
};
const kernelNames = (): Record<BackendInfo['kernels'], string> => ({
  webgpu: t`WebGPU, float32`,
  cpu: t`CPU, float64`,
});

/** What the engine says where there is no adapter to name. */
const adapterWords = (): Readonly<Record<string, string>> => ({
  'not used': t`The GPU is not used`,
  'no GPU': t`There is no GPU that the browser offers`,
});

export function BackendWords({ backend, testId }: { backend: BackendInfo; testId: string }) {
  const { policy, kernels, adapter, reason } = backend;
  return (
    <p className="backend-line" data-testid={testId}>
      <span className={`backend-mark backend-${policy}`}>
        <Trans>
          policy on <b>{POLICY_NAMES[policy]}</b>
        </Trans>
      </span>
      <span className={`backend-mark backend-${kernels}`}>
        <Trans>
          kernels on <b>{kernelNames()[kernels]}</b>
        </Trans>
      </span>
      <span className="backend-why">
        {adapterWords()[adapter] ?? adapter}. {reason}
      </span>
    </p>
  );
}

/** A GPU that a person chose although it failed its check is used, and that is said where nobody overlooks it. */
export function BackendTrouble({
  trouble,
  testId,
}: {
  trouble: string | undefined;
  testId: string;
}) {
  if (trouble === undefined) return null;
  return (
    <p className="backend-trouble" role="alert" data-testid={testId}>
      <b>{t`This GPU is used only because the settings say so.`}</b> {trouble}
    </p>
  );
}
