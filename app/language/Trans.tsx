/** What `<Trans>` becomes: Lingui's own, with the page's one `i18n` in place of a provider's. */
import type { TransProps } from '@lingui/react';
import { TransNoContext } from '@lingui/react/server';
import { i18n } from './i18n';

const lingui = { i18n };

export function Trans(props: TransProps) {
  return <TransNoContext {...props} lingui={lingui} />;
}
