/** A run as files: per response, per token, whole. Written in the worker; the button says so meanwhile. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useState } from 'react';
import type { ExportKind, Subject } from '../../src/engine/lab/protocol';
import type { RunSettings } from '../../src/settings/run';
import { useLab } from '../state/react';
import { download } from './download';
import { linkTo } from './stamp';
import { message } from '../../src/message';

const kinds = (): readonly { kind: ExportKind; name: string; title: string }[] => [
  { kind: 'sequences', name: t`Responses, CSV`, title: t`One line per response: weights, rewards` },
  { kind: 'tokens', name: t`Tokens, CSV`, title: t`One line per response token: log-probs` },
  {
    kind: 'run',
    name: t`Whole run, JSON`,
    title: t`Everything; drop it on the Data page to open it`,
  },
];

export function RunFiles({ run, settings }: { run: Subject; settings: RunSettings | null }) {
  const lab = useLab();
  const [writing, setWriting] = useState<ExportKind | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const write = async (kind: ExportKind) => {
    setWriting(kind);
    setProblem(null);
    try {
      const link = settings === null ? null : linkTo(settings);
      const { name, blob } = await lab.exportRun(run, kind, link);
      download(name, blob);
    } catch (error) {
      setProblem(message(error));
    } finally {
      setWriting(null);
    }
  };
  return (
    <>
      <div className="run-files" role="group" aria-label={t`Download as`}>
        {kinds().map(({ kind, name, title }) => (
          <button
            key={kind}
            type="button"
            className="button"
            title={title}
            disabled={writing !== null}
            onClick={() => void write(kind)}
          >
            {writing === kind ? t`Writing…` : name}
          </button>
        ))}
      </div>
      {problem !== null && (
        <p className="notice notice-bad" role="alert">
          <Trans>The file could not be written: {problem}</Trans>
        </p>
      )}
    </>
  );
}
