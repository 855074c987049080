/** A model's name as people read it. Contract: any valid ref; nothing is fetched. */
import { t } from '@lingui/core/macro';
import { partsOf, type ModelRef } from '../../src/model-ref';

export interface ModelPlace {
  name: string;
  /** "huggingface.co", "localhost:8080", "a folder of yours" */
  host: string;
  revision: string | null;
}

export function placeOf(ref: ModelRef): ModelPlace {
  const { repository } = partsOf(ref);
  const rest = repository.slice(repository.indexOf(':') + 1);
  if (ref.startsWith('folder:')) return { name: rest, host: t`a folder of yours`, revision: null };
  if (ref.startsWith('hub:')) {
    const [name = '', revision = null] = rest.split('@');
    return { name, host: 'huggingface.co', revision };
  }
  const [base = '', revision = null] = rest.split('/resolve/');
  if (!URL.canParse(base)) return { name: base, host: '', revision };
  const { host, pathname } = new URL(base);
  return { name: pathname.replace(/^\//, ''), host, revision };
}

/** What a person may write to get there again. */
export function addressOf(ref: ModelRef): string {
  const { repository } = partsOf(ref);
  const rest = repository.slice(repository.indexOf(':') + 1);
  return ref.startsWith('folder:') ? '' : rest;
}
