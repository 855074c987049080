/** Text to take away: shown, copied, or handed to the system's share sheet where there is one. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useId, useRef, useState } from 'react';

interface CopyFieldProps {
  label: string;
  text: string;
  lines?: number;
  /** title under which it is shared; without one there is no share button */
  share?: string;
}

export function CopyField({ label, text, lines = 3, share }: CopyFieldProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState<{ text: string; words: string } | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied({ text, words: t`Copied.` });
    } catch {
      // Not allowed here (no secure context, an iframe): the person's own keys are.
      field.current?.select();
      setCopied({ text, words: t`Selected: press Ctrl+C or ⌘C to copy.` });
    }
  };
  return (
    <div className="copy-field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        ref={field}
        rows={lines}
        readOnly
        value={text}
        spellCheck={false}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div className="copy-buttons">
        <button type="button" className="button button-main" onClick={() => void copy()}>
          <Trans>Copy {label.toLowerCase()}</Trans>
        </button>
        {share !== undefined && 'share' in navigator && (
          <button
            type="button"
            className="button"
            // Closing the sheet rejects; there is nothing to say about it.
            onClick={() => void navigator.share({ title: share, url: text }).catch(() => undefined)}
          >
            {t`Share with…`}
          </button>
        )}
        <span className="small" role="status">
          {copied?.text === text ? copied.words : ''}
        </span>
      </div>
    </div>
  );
}
