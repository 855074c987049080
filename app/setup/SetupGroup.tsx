import type { ReactNode } from 'react';

/** Fields that belong together. */
export function SetupGroup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="setup-group">
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}
