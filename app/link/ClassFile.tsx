/**
 * The run of a class's seat, to hand in: a file, or a text that the teacher scans. Contract: shown where the link has
 * a seat; a file is only made of a run that has its end and of the settings in view.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useEffect, useState } from 'react';
import type { ClassFile as File } from '../../src/class/file';
import { isExperimentId } from '../../src/experiments/manifest';
import { experimentSettings } from '../../src/link/experiments';
import { seatOf, type Link } from '../../src/link/link';
import { useAnswer, useLab, useLabState } from '../state/react';
import { download } from '../runs/download';
import { VERSION } from '../version';
import { CopyField } from './CopyField';
import { QrCode } from './QrCode';
import type { Fingerprinting } from './use-fingerprint';

export function ClassFile({ link, found }: { link: Link; found: Fingerprinting }) {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  const backend = useLabState(({ opening }) =>
    opening.status === 'open' ? opening.backend : null,
  );
  const [text, setText] = useState<string | null>(null);
  const seat = seatOf(link);
  const { page } = link;
  const fingerprint = found.status === 'here' ? found.value.fingerprint : null;
  const key =
    fingerprint === null || run === null || backend === null || !isExperimentId(page)
      ? null
      : JSON.stringify([run.id, fingerprint.hash, link.view, seat]);
  const answer = useAnswer<File>(key, async () => {
    const asked = experimentSettings(page, link.view);
    if (asked === null || fingerprint === null || backend === null || run === null) {
      throw new Error('This page measures nothing of a run.');
    }
    const { makeClassFile } = await import('../../src/class/file');
    const { claims } = await lab.experiment(run.id, asked.experiment, asked.settings);
    const { policy, kernels } = backend;
    return makeClassFile({ app: VERSION, link, backend: { policy, kernels }, fingerprint, claims });
  });
  const file = key !== null && answer.status === 'here' ? answer.value : null;
  useEffect(() => {
    let current = true;
    if (file === null) return;
    void import('../../src/class/file').then(
      ({ classText }) => current && setText(classText(file)),
    );
    return () => {
      current = false;
    };
  }, [file]);
  const save = async () => {
    if (file === null) return;
    const { classFileName } = await import('../../src/class/file');
    download(
      classFileName(file),
      new Blob([`${JSON.stringify(file)}\n`], { type: 'application/json' }),
    );
  };
  return (
    <section>
      <h3>
        <Trans>Hand in: seat {seat?.number}</Trans>
      </h3>
      <p className="small" role="status" data-testid="class-file-words">
        {file !== null
          ? t`${file.estimates.length} estimates of ${file.responses} responses, without a name. Save the file, or let the teacher scan the code.`
          : key !== null && answer.status === 'refused'
            ? answer.message
            : t`There is a class file as soon as the run in view has its end, with these settings.`}
      </p>
      {file !== null && (
        <>
          <p>
            <button type="button" className="button" onClick={() => void save()}>
              {t`Save class file`}
            </button>
          </p>
          {text !== null && (
            <div className="share-link">
              <CopyField label={t`Class text`} text={text} />
              <QrCode text={text} />
            </div>
          )}
        </>
      )}
    </section>
  );
}
