/**
 * Looks at a web page before and after a change: shots at three sizes in both themes, pixel differences, what axe-core finds,
 * elements that do not show their focus, and colours outside of the design tokens. Runs in a container without a network.
 * Writes pictures, report.json and report.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { newColours } from './colours.mjs';
import { difference } from './difference.mjs';
import { accessibility, missingFocus } from './findings.mjs';
import { reportText } from './report.mjs';
import { serveFolder } from './serve.mjs';

const SIZES = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };
const THEMES = ['light', 'dark'];
/** Pixels. What is longer is cut: a model could not read it. */
const TALLEST = 4000;

const HELP = `design-review --after <folder or address> [--before <folder or address>] [options]

  --after      the built pages of the change: a folder with index.html, or an address on this machine
  --before     those of the base branch; without it nothing is compared
  --page       a page, as /about.html; may be given several times (default: /)
  --tokens     a file with the design tokens; colours of the change that are not in it are named
  --size       phone, tablet or desktop; may be given several times (default: all)
  --theme      light or dark; may be given several times (default: both)
  --out        folder for pictures and report (default: design-review)
`;

async function main() {
  const { values } = parseArgs({
    options: {
      after: { type: 'string' },
      before: { type: 'string' },
      page: { type: 'string', multiple: true, default: ['/'] },
      tokens: { type: 'string' },
      size: { type: 'string', multiple: true, default: Object.keys(SIZES) },
      theme: { type: 'string', multiple: true, default: THEMES },
      out: { type: 'string', default: 'design-review' },
      help: { type: 'boolean', default: false },
    },
  });
  const wrong = [
    ...values.size.filter((size) => !(size in SIZES)),
    ...values.theme.filter((theme) => !THEMES.includes(theme)),
  ];
  if (values.help || values.after === undefined || wrong.length > 0) {
    console.log(wrong.length > 0 ? `Unknown: ${wrong.join(', ')}\n\n${HELP}` : HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  mkdirSync(values.out, { recursive: true });
  const after = await serveFolder(values.after);
  const before = values.before === undefined ? null : await serveFolder(values.before);
  const browser = await launch();
  try {
    const shots = [];
    for (const page of values.page)
      for (const size of values.size)
        for (const theme of values.theme)
          shots.push(await look({ browser, after, before, out: values.out }, { page, size, theme }));
    const colours = newColours({
      after: values.after,
      before: values.before ?? null,
      tokens: values.tokens ?? null,
    });
    const report = { shots, colours };
    writeFileSync(join(values.out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    const text = reportText(report);
    writeFileSync(join(values.out, 'report.md'), text);
    console.log(text);
  } finally {
    await browser.close();
    after.close();
    before?.close();
  }
}

/** One page in one size and theme. */
async function look({ browser, after, before, out }, { page: path, size, theme }) {
  const name = `${path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'start'}-${size}-${theme}`;
  const [width, height] = SIZES[size];
  const open = async (site) => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error.message).slice(0, 300)));
    await page.goto(new URL(path, site.url).href, { waitUntil: 'load', timeout: 30_000 });
    await page.addStyleTag({
      content:
        '*,*::before,*::after{animation:none!important;transition:none!important;caret-color:transparent!important}',
    });
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    return { context, page, errors };
  };
  const shoot = async (page, file) => {
    const tall = await page.evaluate(() => document.documentElement.scrollHeight);
    const clip = { x: 0, y: 0, width, height: Math.min(Math.max(tall, height), TALLEST) };
    return await page.screenshot({ path: join(out, file), fullPage: true, clip });
  };
  const { context, page, errors } = await open(after);
  try {
    const files = { after: `${name}-after.png` };
    const now = await shoot(page, files.after);
    let changed = null;
    if (before !== null) {
      const old = await open(before);
      try {
        files.before = `${name}-before.png`;
        const then = await shoot(old.page, files.before);
        const { pixels, share, picture } = difference(then, now);
        changed = { pixels, share };
        if (pixels > 0) {
          files.difference = `${name}-difference.png`;
          writeFileSync(join(out, files.difference), picture);
        }
      } finally {
        await old.context.close();
      }
    }
    const violations = await accessibility(page);
    return { page: path, size, theme, files, changed, errors, violations, focus: await missingFocus(page) };
  } finally {
    await context.close();
  }
}

await main().catch((error) => {
  console.error(`design-review failed: ${error.message}`);
  process.exitCode = 2;
});
