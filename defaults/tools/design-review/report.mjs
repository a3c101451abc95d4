/** The report as a reader of the review wants it: what is wrong first, then what has changed. */

export function reportText({ shots, colours }) {
  const problems = problemsOf({ shots, colours });
  const changes = shots.filter(({ changed }) => changed !== null && changed.pixels > 0);
  const compared = shots.filter(({ changed }) => changed !== null);
  return `${[
    '# Design review',
    '',
    problems.length === 0 ? 'No problem found.' : `${problems.length} problems:`,
    ...problems.map((problem) => `- ${problem}`),
    '',
    `Shots: ${shots.length} (${shots.map(({ files }) => files.after).join(', ')}).`,
    compared.length === 0
      ? 'Nothing was compared.'
      : changes.length === 0
        ? 'No pixel differs from the base branch.'
        : 'Different from the base branch:',
    ...changes.map(
      ({ page, size, theme, changed, files }) =>
        `- ${page} ${size} ${theme}: ${changed.pixels} pixels (${(changed.share * 100).toFixed(2)} %), ${files.difference}`,
    ),
  ].join('\n')}\n`;
}

function problemsOf({ shots, colours }) {
  const all = new Map();
  const note = (problem, { page, size, theme }) => {
    all.set(problem, [...(all.get(problem) ?? []), `${page} ${size} ${theme}`]);
  };
  for (const shot of shots) {
    for (const { id, impact, help, nodes } of shot.violations)
      for (const { element, why } of nodes) note(`${impact} ${id}: ${help}: \`${element}\`. ${why}`, shot);
    for (const element of shot.focus)
      note(`focus-not-shown: \`${element}\` looks the same with the focus`, shot);
    for (const error of shot.errors) note(`script error: ${error}`, shot);
  }
  return [
    ...[...all].map(([problem, where]) => `${problem} (${where.join(', ')})`),
    ...colours.map(({ file, line, value }) => `colour-outside-tokens: ${value} in ${file}:${line}`),
  ];
}
