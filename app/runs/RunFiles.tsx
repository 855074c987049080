/** A run as files: per response, per token, whole. Written in the worker; the button says so meanwhile. */
import { useState } from 'react';
import type { ExportKind, Subject } from '../../src/engine/lab/protocol';
import type { RunSettings } from '../../src/settings/run';
import { useLab } from '../state/react';
import { download } from './download';
import { linkTo } from './stamp';
import { message } from '../../src/message';

const KINDS: readonly { kind: ExportKind; name: string; title: string }[] = [
  { kind: 'sequences', name: 'Responses, CSV', title: 'One line per response: weights, rewards' },
  { kind: 'tokens', name: 'Tokens, CSV', title: 'One line per response token: log-probs' },
  {
    kind: 'run',
    name: 'Whole run, JSON',
    title: 'Everything; drop it on the Data page to open it',
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
      <div className="run-files" role="group" aria-label="Download as">
        {KINDS.map(({ kind, name, title }) => (
          <button
            key={kind}
            type="button"
            className="button"
            title={title}
            disabled={writing !== null}
            onClick={() => void write(kind)}
          >
            {writing === kind ? 'Writing…' : name}
          </button>
        ))}
      </div>
      {problem !== null && (
        <p className="notice notice-bad" role="alert">
          The file could not be written: {problem}
        </p>
      )}
    </>
  );
}
