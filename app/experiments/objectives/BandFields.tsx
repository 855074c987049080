/** A person's own clip band; empty fields mean each library's recommended one. */
import { useId, useState } from 'react';

export interface Band {
  low: number | null;
  high: number | null;
}

/** @returns null for an empty field; undefined for what is no clip range */
function read(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) && value >= 0 && value <= 100 ? value : undefined;
}

export function BandFields({ onChange }: { onChange: (band: Band) => void }) {
  const [texts, setTexts] = useState({ low: '', high: '' });
  const hint = useId();
  const edit = (side: 'low' | 'high', text: string) => {
    const next = { ...texts, [side]: text };
    setTexts(next);
    const low = read(next.low);
    const high = read(next.high);
    if (low !== undefined && high !== undefined) onChange({ low, high });
  };
  const wrong = read(texts.low) === undefined || read(texts.high) === undefined;
  return (
    <div className="page-controls">
      <span>Your own band</span>
      {(['low', 'high'] as const).map((side) => (
        <label key={side}>
          ε {side}
          <input
            type="text"
            inputMode="decimal"
            placeholder="each library’s"
            value={texts[side]}
            aria-invalid={read(texts[side]) === undefined}
            aria-describedby={hint}
            onChange={(event) => edit(side, event.target.value)}
          />
        </label>
      ))}
      <span id={hint} className={wrong ? 'field-issue' : 'muted'}>
        {wrong
          ? 'Needs a number from 0 to 100, such as 3e-4.'
          : 'for the objectives that clip a ratio'}
      </span>
    </div>
  );
}
