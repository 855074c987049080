/**
 * The report to take away: JSON of the documented shape, and one HTML file with its figures for a colleague.
 * Contract: pure strings; the HTML loads nothing, runs no script and holds no data of the run (names of groups and
 * files, log-probs of tokens) unless asked; figures of what is counted over the whole run always are in it; all text
 * is escaped.
 */
import { drawingsOf, ruleDrawing, type Drawing, type Kind } from './drawing';
import { inDigits, inPercent, type Figure } from './finding';
import type { Finding, HealthReport, TokenRange } from './report';

/** `findings` and `health` as docs/findings.md has them. */
export function healthJson(report: HealthReport) {
  const { findings, bands, trainer, passed, notAsked, clipping, cut, steps } = report;
  return {
    findings,
    health: { bands, trainer, passed, not_asked: notAsked, clipping, cut, steps },
  };
}

const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const COLOURS: Record<Kind, string> = {
  old: '#0072b2',
  new: '#d55e00',
  sampler: '#009e73',
  axis: '#777',
  mark: '#b3261e',
  limit: '#b3261e',
};

function svg({ title, width, height, lines, bars, dots, texts, marked }: Drawing): string {
  const fixed = (x: number) => x.toFixed(1);
  const parts = [
    marked &&
      `<rect x="${fixed(marked[0])}" y="${fixed(marked[1])}" width="${fixed(marked[2])}" height="${fixed(marked[3])}" fill="#b3261e" opacity="0.12"/>`,
    ...bars.map(
      ({ kind, at: [x, y, wide, high] }) =>
        `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(wide)}" height="${fixed(high)}" fill="${COLOURS[kind]}" opacity="0.6"/>`,
    ),
    ...lines.map(
      ({ kind, points }) =>
        `<polyline points="${points.map((at) => at.map(fixed).join(',')).join(' ')}" fill="none" stroke="${COLOURS[kind]}" stroke-width="${kind === 'axis' ? 1 : 1.5}"${kind === 'limit' ? ' stroke-dasharray="5 4"' : ''}/>`,
    ),
    ...dots.map(
      ({ kind, at }) =>
        `<circle cx="${fixed(at[0])}" cy="${fixed(at[1])}" r="2.2" fill="${COLOURS[kind]}"/>`,
    ),
    ...texts.map(
      ({ at, text, anchor, kind }) =>
        `<text x="${fixed(at[0])}" y="${fixed(at[1])}" text-anchor="${anchor}" fill="${COLOURS[kind]}">${escaped(text)}</text>`,
    ),
  ];
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">${parts.filter((part) => part !== null).join('')}</svg><figcaption>${escaped(title)}</figcaption></figure>`;
}

export function figureText({ value, as }: Figure): string {
  switch (as) {
    case 'share':
      return inPercent(value);
    case 'count':
      return value.toLocaleString('en-US');
    case 'number':
      return inDigits(value);
  }
}

/** "0.36 (0.31 to 0.41); threshold 0.001: the whole interval above" */
export function ruleText({ statistic, interval, threshold, fires }: Finding): string {
  const value = statistic === null ? 'beyond float64' : inDigits(statistic);
  const within = interval ? ` (${interval.map(inDigits).join(' to ')})` : '';
  return `${value}${within}; threshold ${inDigits(threshold)}: ${fires}`;
}

const isRange = (one: Finding['responses'][number]): one is TokenRange => 'from' in one;

function findingHtml(finding: Finding, drawing: Drawing | undefined, withData: boolean): string {
  const { level, title, cause, remedy, measure, figures, firstStep, responses, tokens } = finding;
  const rule = ruleDrawing(finding);
  const carried = withData
    ? (tokens.length > 0 ? tokens : responses).map((one) => {
        const range = !isRange(one)
          ? ''
          : one.to - one.from === 1
            ? `token ${one.to} of `
            : `tokens ${one.from + 1} to ${one.to} of `;
        const of = one.sample === null ? '' : `response ${one.sample} of `;
        const step = one.step === null ? '' : `, step ${one.step}`;
        return `<li>${escaped(`${range}${of}group ${one.group}${step}${one.at === null ? '' : `, ${one.at}`}`)}</li>`;
      })
    : [];
  return `<section class="${level}"><h2>${escaped(title)}</h2>
<p class="id">${escaped(finding.id)} · ${level}${firstStep === null ? '' : ` · first at step ${firstStep}`}</p>
<p>${escaped(cause)}</p>
<p><b>What to change.</b> ${escaped(remedy)}</p>
<p class="small">${escaped(`${measure}: ${ruleText(finding)}`)}</p>
<dl>${figures.map((figure) => `<div><dt>${escaped(figure.label)}</dt><dd>${escaped(figureText(figure))}</dd></div>`).join('')}</dl>
${rule ? svg(rule) : ''}${drawing && withData ? svg(drawing) : ''}${carried.length > 0 ? `<ul>${carried.join('')}</ul>` : ''}</section>`;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d1d1f;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:0}section{border-left:4px solid #b3261e;padding:.2rem 1rem;margin:1.5rem 0}
section.note{border-color:#b58900}.id,.small,figcaption{color:#666;font-size:.85rem;margin:.2rem 0}dl{margin:.5rem 0;font-size:.9rem}
dl div{display:flex;justify-content:space-between;gap:1rem;border-top:1px solid #ddd}dd{margin:0;font-weight:600}figure{margin:1rem 0}
p{overflow-wrap:anywhere}svg{width:100%;font:11px system-ui,sans-serif}@media (max-width:40rem){svg{font-size:17px}}@media (prefers-color-scheme:dark){body{background:#161618;color:#eee}dl div{border-color:#444}.id,.small,figcaption{color:#aaa}}`;

/**
 * @param withData whether names of groups and files and the log-probs of tokens are in it
 * @param made when, as text
 */
export function reportHtml(
  report: HealthReport,
  { withData, made }: { withData: boolean; made: string },
): string {
  const drawings = drawingsOf(report);
  const { findings, passed, notAsked, sequences, tokens, groups, clipping, cut } = report;
  const facts: [string, string][] = [
    ['responses', sequences.toLocaleString('en-US')],
    ['tokens', tokens.toLocaleString('en-US')],
    ['groups', groups.toLocaleString('en-US')],
    ...clipping.map((figure): [string, string] => [figure.label, figureText(figure)]),
    ['responses cut at the length limit', cut === null ? 'the files do not say' : inPercent(cut)],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Health report of rollouts</title><style>${STYLE}</style></head><body>
<h1>Health report of rollouts</h1>
<p class="small">GSPO Lab, ${escaped(made)}. ${withData ? 'With names of groups and log-probs of single tokens.' : 'Without data of the run: no names, no log-probs of single tokens.'}</p>
<dl>${facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>
${findings.length === 0 ? '<p><b>Nothing stands out.</b></p>' : findings.map((finding) => findingHtml(finding, drawings.tokens[finding.id], withData)).join('\n')}
${drawings.steps ? `<h2>Over the training steps</h2>${svg(drawings.steps)}` : ''}
${drawings.spread.length > 0 ? `<h2>How the log ratios are spread</h2>${drawings.spread.map(svg).join('')}` : ''}
<p class="small">Looked and found nothing: ${passed.map(({ id }) => escaped(id)).join(', ') || 'none'}. Could not be asked: ${notAsked.map(escaped).join(', ') || 'none'}.</p>
</body></html>
`;
}
