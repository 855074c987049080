/** `docs/findings.md`, made from the rules. `npx vitest run --project node src/rollouts/health/docs.test.ts -u` */
import { CONFIDENCE } from './evidence/evidence';
import { inDigits, remedyText, type Rule } from './finding';
import { RULES } from './rules';
import { LARGEST_PLAUSIBLE } from './rules/columns';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function details(rule: Rule): string {
  return `### \`${rule.id}\`

**${rule.title}** (${rule.level})

- Statistic: ${rule.measure}. Threshold ${Number(rule.threshold.toPrecision(6))}; a finding: ${rule.fires}.
- Cause: ${rule.cause}
- What to change: ${remedyText(rule.remedy)}
- Source: ${rule.sources.join('; ')}.${
    rule.hides.length > 0
      ? `\n- Not told beside it, because they follow from it: ${rule.hides.map((id) => `\`${id}\``).join(', ')}.`
      : ''
  }
`;
}

/** @param calibration what `npm run calibrate:health` printed */
export function findingsPage(calibration: string): string {
  const rows = RULES.map(
    ({ id, symptom, title, sources }) =>
      `| ${cell(symptom)} | [\`${id}\`](#${id}): ${cell(title)} | ${cell(sources.join('; '))} |`,
  );
  return `# Findings of the health report

<!-- Made from src/rollouts/health/rules. Change the rules, then run the test in docs.test.ts with -u. -->

A finding is a rule with a statistic, an interval, a threshold that was fixed beforehand, the responses and tokens that
carry it, the cause, and what to change in which trainer. Ids are stable. Intervals are two-sided at
${100 * CONFIDENCE} %, over prompts (cluster-robust, Student's t) or, for shares, Wilson's.

## Symptom, finding, source

| what one sees | finding | where it was seen, or the law behind it |
| --- | --- | --- |
${rows.join('\n')}

## In JSON

\`npm run analyze -- FILE... --json OUT\` and the page's download hold

\`\`\`text
"findings": [{
  "id":        one of the ids above
  "level":     "warning" or "note"
  "title":     one sentence, with the figure that matters
  "measure":   what the statistic is, with its unit
  "statistic": number, null where it is beyond float64
  "interval":  [low, high] or null
  "threshold": number
  "fires":     on which side of the threshold it is a finding
  "responses": [{"at", "step", "group", "sample"}]           at most five, the clearest first
  "tokens":    [{"at", "step", "group", "sample", "from", "to"}]  response tokens [from, to), counted from 0
  "cause":     why
  "remedy":    what to change, by trainer
  "figures":   [{"label", "value", "as": "share" | "count" | "number"}]
  "sources":   [...]
  "firstStep": first training step at which the rule fires by itself, or null
  "hidden":    ids of findings that follow from this one and are not told
  "excerpt":   log-probs around the tokens that show it, or null
}]
"health": {"bands", "trainer": who wrote the files, null where the names of columns do not tell, "passed": rules that found nothing, with their statistics, "not_asked": rules the data
           could not be asked, "clipping", "cut": null where the files do not say, "steps": figures of each step}
"import": {"notes": columns that are not read and what else was done with the files, "skipped": unreadable responses,
           "problems": the first of them, "advantages": {"rule", "computed"} where the lab computed any} (command only)
\`\`\`

\`--eps-low\` and \`--eps-high\` are the clip range that findings and tables are about; without them it is 0.2/0.2 for
token ratios and 3e-4/4e-4 for sequence weights.

Where a column holds values that no log-prob has, and nothing says to leave such responses out (\`--skip-bad\`),
nothing is computed: the exit status is 1, and the JSON has \`"error"\`, the sentence on stderr, beside \`findings\`
and \`health\`.

## What no file of log-probs alone can tell

Columns that are wrong in the same way agree with each other, and ratios of them look like ratios. Without entropies
(\`entropy_old\`) nothing shows that

- all columns are in base 2 or 10: every law here holds for one scale as for another while updates are small;
- all columns are shifted by one token, unless the place that came free was filled up (\`end-zeros\`);
- all columns were read at the token’s own position, where -log p is below ${inDigits(LARGEST_PLAUSIBLE)} nats on average.

With entropies all three are told (\`logarithm-base\`, \`shifted\`, \`unlikely-tokens\`). With fewer than five prompts there
are no intervals: rules that need one find only what is plain without.

## False alarms and power

${calibration}

## The rules

${RULES.map(details).join('\n')}`;
}
