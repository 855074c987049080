/** Where files come in: dropped, picked, a folder, or the example. */
import { useId, useRef, useState } from 'react';
import type { ImportFile, ImportOptions } from '../../../src/engine/lab/protocol';
import { ADVANTAGE_RULES, ADVANTAGE_TITLES } from '../../../src/link/pages';
import { usePageSetting } from '../../state/address-react';
import { useLab, useLabState } from '../../state/react';
import { fetchExample } from '../../state/imports';
import { droppedFiles, pickedFiles } from './files';
import { message } from '../../../src/message';

const RULES = ADVANTAGE_RULES.map((rule) => ({ rule, name: ADVANTAGE_TITLES[rule] }));

function useImportOptions() {
  const [onBad, chooseOnBad] = usePageSetting('data', 'onBad');
  const [rule, chooseRule] = usePageSetting('data', 'rule');
  const [recompute, chooseRecompute] = usePageSetting('data', 'recompute');
  const [low, chooseLow] = usePageSetting('data', 'epsLow');
  const [high, chooseHigh] = usePageSetting('data', 'epsHigh');
  const options = { onBad, rule, recompute, band: { low, high } } satisfies ImportOptions;
  return {
    options,
    choose: {
      onBad: chooseOnBad,
      rule: chooseRule,
      recompute: chooseRecompute,
      low: chooseLow,
      high: chooseHigh,
    },
  };
}

/** One edge of the clip range that the report is about; empty = each objective's own. */
function Epsilon({
  label,
  value,
  choose,
}: {
  label: string;
  value: number | null;
  choose: (value: number | null) => void;
}) {
  return (
    <label>
      {label}
      <input
        type="number"
        className="input-small"
        min={0}
        max={100}
        step="any"
        placeholder="published"
        defaultValue={value ?? ''}
        onBlur={(event) => {
          const { value: text, valueAsNumber: given } = event.target;
          if (text === '') choose(null);
          else if (given >= 0 && given <= 100) choose(given);
        }}
      />
    </label>
  );
}

export function DropZone() {
  const lab = useLab();
  const busy = useLabState(({ reading }) => reading !== null && reading.failure === null);
  const { options, choose } = useImportOptions();
  const [over, setOver] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const id = useId();

  const take = (given: readonly ImportFile[]) => {
    if (given.length === 0) {
      setTrouble('There is no .jsonl, .json or .parquet file in it.');
      return;
    }
    setTrouble(null);
    void lab.importFiles([...given], options);
  };
  const picked = (event: React.ChangeEvent<HTMLInputElement>) => {
    const { files: list } = event.target;
    if (list !== null && list.length > 0) take(pickedFiles(list));
    // The same file again must be a change again.
    event.target.value = '';
  };
  const example = async () => {
    try {
      take([{ name: 'example-rollouts.jsonl', blob: await fetchExample() }]);
    } catch (error) {
      setTrouble(message(error));
    }
  };

  return (
    <section
      className={over ? 'drop-zone drop-zone-over' : 'drop-zone'}
      aria-label="Your files"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        droppedFiles(event.dataTransfer).then(take, (error: unknown) =>
          setTrouble(`That could not be opened: ${String(error)}.`),
        );
      }}
    >
      <p className="drop-words">Drop a file, several files or a folder here</p>
      <div className="drop-buttons">
        <input
          ref={files}
          type="file"
          multiple
          hidden
          aria-label="Files with rollouts"
          accept=".jsonl,.ndjson,.json,.parquet,.gz,.zst,.zip"
          onChange={picked}
        />
        <input
          ref={folder}
          type="file"
          hidden
          aria-label="Folder with rollouts"
          // React knows no such attribute; browsers do.
          {...{ webkitdirectory: '' }}
          onChange={picked}
        />
        <button
          type="button"
          className="button button-main"
          disabled={busy}
          onClick={() => files.current?.click()}
        >
          Choose files
        </button>
        <button
          type="button"
          className="button"
          disabled={busy}
          onClick={() => folder.current?.click()}
        >
          Choose a folder
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => void example()}>
          Load the example
        </button>
      </div>
      <p className="small">
        JSONL, JSON or Parquet, packed with gzip, zstd or zip or not; one response or batch per
        line.
      </p>
      {trouble !== null && (
        <p className="field-issue" role="alert">
          {trouble}
        </p>
      )}
      <fieldset className="drop-options" data-part="setup">
        <legend>How to read</legend>
        <label>
          <input
            type="checkbox"
            checked={options.onBad === 'skip'}
            onChange={(event) => choose.onBad(event.target.checked ? 'skip' : 'stop')}
          />
          leave bad responses out, and count them
        </label>
        <label htmlFor={id}>
          advantages by
          <select
            id={id}
            className="select-small"
            value={options.rule}
            onChange={(event) => {
              const found = RULES.find(({ rule }) => rule === event.target.value);
              if (found !== undefined) choose.rule(found.rule);
            }}
          >
            {RULES.map(({ rule, name }) => (
              <option key={rule} value={rule}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={options.recompute}
            onChange={(event) => choose.recompute(event.target.checked)}
          />
          from rewards even where the file has advantages
        </label>
        <Epsilon label="clip range, ε low" value={options.band.low} choose={choose.low} />
        <Epsilon label="ε high" value={options.band.high} choose={choose.high} />
      </fieldset>
    </section>
  );
}
