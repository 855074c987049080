/** React's way to the address: a page's choices, read and written like any state. */
import { createContext, use, useState } from 'react';
import { useStore } from 'zustand';
import type { PageId, PageSettings } from '../../src/link/pages';
import type { Address, AddressState } from './address';

export const AddressContext = createContext<Address | null>(null);

export function useAddress(): Address {
  const address = use(AddressContext);
  if (address === null) throw new Error('useAddress needs an AddressContext above it');
  return address;
}

export function useAddressState<T>(select: (state: AddressState) => T): T {
  return useStore(useAddress().store, select);
}

/** Everything chosen on a page. */
export function usePageSettings<P extends PageId>(page: P): PageSettings<P> {
  return useAddressState(({ views }) => views[page]);
}

/** One choice on a page and its setter, in place of `useState`: links carry it. */
export function usePageSetting<P extends PageId, K extends keyof PageSettings<P>>(
  page: P,
  name: K,
): [PageSettings<P>[K], (value: PageSettings<P>[K]) => void] {
  const address = useAddress();
  const value = useAddressState(({ views }) => {
    const settings: PageSettings<P> = views[page];
    return settings[name];
  });
  return [value, (chosen) => address.choose(page, name, chosen)];
}

/**
 * The text of a field: what was typed, unless a link or a step back has brought another value.
 * @param read undefined for a text that is no value
 */
export function useTypedText<T>(
  value: T,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
): [string, (text: string) => void] {
  const [typed, setTyped] = useState(write(value));
  const meant = read(typed);
  return [meant === undefined || meant === value ? typed : write(value), setTyped];
}

/** The address of a page under the present settings. */
export function usePageHash(page: PageId): string {
  const address = useAddress();
  return useStore(address.store, () => address.hash(page));
}
