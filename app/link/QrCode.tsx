/** A link for a phone's camera. */
import { useEffect, useState } from 'react';

/** null where the text is too long for any code */
async function modulesOf(text: string): Promise<boolean[][] | null> {
  const { default: encodeQR } = await import('qr');
  try {
    return encodeQR(text, 'raw', { ecc: 'low', border: 2 });
  } catch {
    return null;
  }
}

export function QrCode({ text }: { text: string }) {
  const [drawn, setDrawn] = useState<{ text: string; modules: boolean[][] | null } | null>(null);
  useEffect(() => {
    let current = true;
    void modulesOf(text).then((modules) => current && setDrawn({ text, modules }));
    return () => {
      current = false;
    };
  }, [text]);
  if (drawn?.modules === null) {
    return <p className="muted">The link is too long for a QR code.</p>;
  }
  const modules = drawn?.modules ?? [];
  const size = Math.max(1, modules.length);
  const path = modules
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label="QR code of the link"
      data-text={drawn?.text === text ? text : undefined}
    >
      <path d={path} />
    </svg>
  );
}
