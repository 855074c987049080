/** "Break it" where the sampler is what breaks: the example's responses, drawn by another engine. */
import { useState } from 'react';
import { DEFAULT_IMPORT, fetchExample } from '../../state/imports';
import { useLab, useLabState } from '../../state/react';
import { SAMPLERS, withSampler, type Sampler } from './samplers';
import { message } from '../../../src/message';

export function BreakSampler() {
  const lab = useLab();
  const busy = useLabState(({ reading }) => reading !== null && reading.failure === null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const load = async (sampler: Sampler | null) => {
    try {
      const blob = await fetchExample();
      const name = sampler?.file ?? 'example-rollouts.jsonl';
      const parts = sampler ? new Blob([withSampler(await blob.text(), sampler)]) : blob;
      setTrouble(null);
      await lab.importFiles([{ name, blob: parts }], DEFAULT_IMPORT);
    } catch (error) {
      setTrouble(message(error));
    }
  };
  const buttons = [
    {
      title: 'bfloat16 (the example as it is)',
      why: 'The sampler’s log-probs are the trainer’s, rounded to 8 bits.',
      sampler: null,
    },
    ...SAMPLERS.map((sampler) => ({ title: sampler.title, why: sampler.why, sampler })),
  ];
  return (
    <section>
      <h2>Break it</h2>
      <p>
        The lab’s own policies are sampled by the engine that scores them, so nothing is off there.
        These load the synthetic example with another sampler; your own files bring theirs as{' '}
        <code>logp_sampler</code>.
      </p>
      <ul className="breaks">
        {buttons.map(({ title, why, sampler }) => (
          <li key={title}>
            <button
              type="button"
              className="button"
              disabled={busy}
              onClick={() => void load(sampler)}
            >
              {title}
            </button>
            <span>{why}</span>
          </li>
        ))}
      </ul>
      {trouble !== null && (
        <p className="field-issue" role="alert">
          {trouble}
        </p>
      )}
    </section>
  );
}
