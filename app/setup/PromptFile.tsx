/** Prompts out of a file, picked or dropped, in the place of those in the field. */
import { plural, t } from '@lingui/core/macro';
import { useId, useState } from 'react';
import { message } from '../../src/message';
import { promptsOfFile } from '../../src/settings/prompts';

/** Bytes; more than a link can hold by far, and no more than a tab reads in a moment. */
const MOST_FILE = 64e6;

export function PromptFile({ onTexts }: { onTexts: (texts: string) => void }) {
  const picker = useId();
  const [told, setTold] = useState<{ text: string; bad: boolean } | null>(null);
  const [over, setOver] = useState(false);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      if (file.size > MOST_FILE) throw new Error('It has more than 64 MB.');
      const { texts, taken, of } = promptsOfFile(await file.text());
      onTexts(texts);
      const cut =
        taken < of
          ? t`the first ${taken} of ${of} prompts`
          : plural(taken, { one: '# prompt', other: '# prompts' });
      const why = taken < of ? t`: as many as a link holds` : '';
      setTold({ text: `${file.name}: ${cut}${why}.`, bad: false });
    } catch (error) {
      setTold({ text: `${file.name}: ${message(error)}`, bad: true });
    }
  };
  return (
    <div
      className={over ? 'field prompt-file model-over' : 'field prompt-file'}
      data-testid="prompt-file"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        void take(event.dataTransfer.files[0]);
      }}
    >
      <label htmlFor={picker} className="model-folder">
        {t`Or choose or drop a file of prompts…`}
      </label>
      <input
        id={picker}
        type="file"
        className="visually-hidden"
        accept=".jsonl,.ndjson,.json,.txt"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          void take(file);
        }}
      />
      {told !== null && (
        <p className={told.bad ? 'field-issue' : 'field-hint'} role="status">
          {told.text}
        </p>
      )}
    </div>
  );
}
