/** A link for a phone's camera. Contract: what is drawn decodes to the text, or there is a sentence. */
import { t } from '@lingui/core/macro';
import { useEffect, useState } from 'react';

/** null where the text is too long for any code */
export async function modulesOf(text: string): Promise<boolean[][] | null> {
  const { default: encodeQR } = await import('qr');
  try {
    return encodeQR(text, 'raw', { ecc: 'low', border: 2 });
  } catch {
    return null;
  }
}

export function QrCode({ text }: { text: string }) {
  const [large, setLarge] = useState(false);
  const [drawn, setDrawn] = useState<boolean[][] | null | undefined>(undefined);
  useEffect(() => {
    let current = true;
    void modulesOf(text).then((modules) => current && setDrawn(modules));
    return () => {
      current = false;
    };
  }, [text]);
  if (drawn === null) {
    return <p className="muted">{t`The link is too long for a QR code.`}</p>;
  }
  return (
    <button
      type="button"
      className="qr-button"
      aria-expanded={large}
      aria-label={large ? t`Make the QR code small again` : t`Enlarge the QR code`}
      onClick={() => setLarge(!large)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !large) return;
        // The dialog stays open.
        event.preventDefault();
        setLarge(false);
      }}
    >
      <Modules modules={drawn ?? []} />
    </button>
  );
}

export function Modules({ modules }: { modules: readonly (readonly boolean[])[] }) {
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
      aria-label={t`QR code of the link`}
    >
      <path d={path} />
    </svg>
  );
}
