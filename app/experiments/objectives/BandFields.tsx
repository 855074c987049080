/** A person's own clip band; empty fields mean each library's recommended one. */
import { useId } from 'react';
import { usePageSetting, useTypedText } from '../../state/address-react';

/** @returns null for an empty field; undefined for what is no clip range */
function read(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) && value >= 0 && value <= 100 ? value : undefined;
}

const written = (value: number | null) => (value === null ? '' : String(value));

function useSide(name: 'epsLow' | 'epsHigh') {
  const [value, choose] = usePageSetting('objectives', name);
  const [text, setText] = useTypedText(value, read, written);
  const edit = (next: string) => {
    setText(next);
    const number = read(next);
    if (number !== undefined) choose(number);
  };
  return { text, wrong: read(text) === undefined, edit };
}

export function BandFields() {
  const low = useSide('epsLow');
  const high = useSide('epsHigh');
  const hint = useId();
  const wrong = low.wrong || high.wrong;
  return (
    <div className="page-controls" data-part="controls">
      <span>Your own band</span>
      {(['low', 'high'] as const).map((name) => {
        const side = name === 'low' ? low : high;
        return (
          <label key={name}>
            ε {name}
            <input
              type="text"
              inputMode="decimal"
              placeholder="each library’s"
              value={side.text}
              aria-invalid={side.wrong}
              aria-describedby={hint}
              onChange={(event) => side.edit(event.target.value)}
            />
          </label>
        );
      })}
      <span id={hint} className={wrong ? 'field-issue' : 'muted'}>
        {wrong
          ? 'Needs a number from 0 to 100, such as 3e-4.'
          : 'for the objectives that clip a ratio'}
      </span>
    </div>
  );
}
