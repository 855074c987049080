/**
 * One of the pair: its name, a look at what is there, or a folder, picked or dropped; then its card. Contract: looking
 * asks the place that the field names, and no other.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useId, useState } from 'react';
import { dtypeOf } from '../state/lab';
import { entriesIn, filesBelow } from '../state/dropped';
import { DTYPE_OF, type ModelSlot } from '../state/lab';
import { useLab, useLabState } from '../state/react';
import { Prose, Symbol } from '../format/Prose';
import { ModelCard } from './ModelCard';
import { addressOf } from './place';
import './models.css';

interface ModelFieldProps {
  slot: ModelSlot;
  label: string;
  symbol: string | undefined;
  hint: string | undefined;
}

export function ModelField({ slot, label, symbol, hint }: ModelFieldProps) {
  const lab = useLab();
  const id = useId();
  const picker = useId();
  const checkpoint = useId();
  const chosen = useLabState(({ draft }) => draft.models[slot]);
  const dtype = useLabState(({ draft }) => dtypeOf(draft.models[DTYPE_OF[slot]]));
  const looking = useLabState(({ models }) => models.looking[slot]);
  /** what was typed, until another model is chosen */
  const [typed, setTyped] = useState<{ text: string; over: string } | null>(null);
  const [over, setOver] = useState(false);
  const text = typed !== null && typed.over === chosen ? typed.text : addressOf(chosen);
  const look = () => {
    if (text.trim() !== '') void lab.models.look(slot, text.trim());
  };
  const open = (name: string, files: { path: string; blob: Blob }[]) =>
    void lab.models.openFolder(slot, name, files);
  return (
    <div
      className={over ? 'field model-field model-over' : 'field model-field'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        const [only, ...others] = event.dataTransfer.files;
        if (only?.name.endsWith('.safetensors') && others.length === 0) {
          void lab.models.openCheckpoint(slot, { path: only.name, blob: only });
          return;
        }
        const entries = entriesIn(event.dataTransfer);
        void Promise.all(entries.map(filesBelow)).then((found) =>
          open(
            entries[0]?.name ?? 'folder',
            found.flat().map(({ name, blob }) => ({ path: name, blob })),
          ),
        );
      }}
    >
      <label htmlFor={id}>
        {label} {symbol !== undefined && <Symbol text={symbol} />}
      </label>
      <div className="field-input">
        <input
          id={id}
          type="text"
          autoComplete="off"
          spellCheck={false}
          placeholder={t`OWNER/NAME, or https://…`}
          aria-describedby={`${id} hint`}
          value={text}
          onChange={(event) => setTyped({ text: event.currentTarget.value, over: chosen })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            look();
          }}
        />
        <button
          type="button"
          className="button"
          disabled={looking.status === 'looking'}
          onClick={look}
        >
          {looking.status === 'looking' ? t`Looking…` : t`Look`}
        </button>
      </div>
      <p className="field-hint" id={`${id} hint`}>
        <Trans>
          <Prose>{hint ?? ''}</Prose>. “Look” asks the place what it holds: a few kB.{' '}
        </Trans>
        <label htmlFor={picker} className="model-folder">
          {t`Or choose a folder…`}
        </label>
        <input
          id={picker}
          type="file"
          multiple
          className="visually-hidden"
          {...{ webkitdirectory: '' }}
          onChange={(event) => {
            const files = Array.from(event.currentTarget.files ?? [], (file) => ({
              path: file.webkitRelativePath || file.name,
              blob: file,
            }));
            event.currentTarget.value = '';
            if (files.length > 0) open(files[0]?.path.split('/')[0] ?? 'folder', files);
          }}
        />{' '}
        <label htmlFor={checkpoint} className="model-folder">
          {t`Or a checkpoint of it…`}
        </label>
        <input
          id={checkpoint}
          type="file"
          accept=".safetensors"
          className="visually-hidden"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file) void lab.models.openCheckpoint(slot, { path: file.name, blob: file });
            event.currentTarget.value = '';
          }}
        />
      </p>
      {looking.status === 'refused' && (
        <p className="field-issue" role="alert" data-testid="look-refused">
          {looking.message}
        </p>
      )}
      <ModelCard
        ref_={chosen}
        dtype={dtype}
        onGraph={(next, ref) =>
          lab.edit((draft) => ({
            ...draft,
            models: { ...draft.models, [DTYPE_OF[slot]]: next, [slot]: ref },
          }))
        }
        onRef={(next) =>
          lab.edit((draft) => ({ ...draft, models: { ...draft.models, [slot]: next } }))
        }
      />
    </div>
  );
}
