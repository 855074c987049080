/** The colours and shapes of the signs of A. */
import { SIGNS } from './signs';

export function SignLegend() {
  return (
    <ul className="legend" aria-label="Legend">
      {SIGNS.map(({ name, colour, shape }) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden="true" style={{ fill: `var(${colour})` }}>
            {shape === 'circle' && <circle cx="6" cy="6" r="3.6" />}
            {shape === 'square' && <rect x="2.6" y="2.6" width="6.8" height="6.8" />}
            {shape === 'triangle' && <path d="M6 1.8L10.4 9.6H1.6Z" />}
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}
