/** The hatching that marks recorded data, one SVG pattern per colour. */
export function Hatch({ id, colour }: { id: string; colour: string }) {
  return (
    <pattern
      id={id}
      width="5"
      height="5"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect width="5" height="5" fill={`var(${colour})`} opacity="0.1" />
      <line y2="5" stroke={`var(${colour})`} strokeWidth="2" opacity="0.75" />
    </pattern>
  );
}
