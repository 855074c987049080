/**
 * What `<Trans>` becomes: Lingui's own, with the page's one `i18n` in place of a provider's. Contract: tags are those of the
 * message alone; what stands in a value (a file's name, a token) is text, whatever it looks like.
 */
import type { TransProps } from '@lingui/react';
import { TransNoContext } from '@lingui/react/server';
import { i18n } from './i18n';

const lingui = { i18n };

/** Lingui looks for tags once values are filled in; an element among them it leaves alone. */
function asText(values: TransProps['values']): NonNullable<TransProps['values']> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' && value.includes('<') ? <>{value}</> : (value as unknown),
    ]),
  );
}

export function Trans({ values, ...props }: TransProps) {
  return (
    <TransNoContext
      {...props}
      {...(values === undefined ? {} : { values: asText(values) })}
      lingui={lingui}
    />
  );
}
