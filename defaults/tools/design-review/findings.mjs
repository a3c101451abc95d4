/** What a page lacks for people: by axe-core, and elements that do not show that they have the focus. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const MOST_NODES = 5;
const MOST_STOPS = 60;

export async function accessibility(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'],
      resultTypes: ['violations'],
    }),
  );
  return violations.map(({ id, impact, help, nodes }) => ({
    id,
    impact,
    help,
    count: nodes.length,
    nodes: nodes.slice(0, MOST_NODES).map((node) => ({
      element: String(node.target[0]).slice(0, 200),
      why: String(node.any[0]?.message ?? node.failureSummary ?? '').slice(0, 300),
    })),
  }));
}

/** Each stop of the tab key, whose look is compared with what it was before. Selectors of those that look the same. */
export async function missingFocus(page) {
  await page.evaluate(() => {
    const looks = new WeakMap();
    const look = (element) => {
      const of = (which) => {
        const s = getComputedStyle(element, which);
        return [
          s.outlineStyle === 'none' ? 'none' : s.outline,
          s.boxShadow,
          s.border,
          s.backgroundColor,
          s.color,
          s.textDecoration,
          s.transform,
        ].join('|');
      };
      return [of(null), of('::before'), of('::after')].join('||');
    };
    for (const element of document.querySelectorAll('a,button,input,select,textarea,summary,[tabindex]')) {
      looks.set(element, look(element));
    }
    const name = (element) => {
      const id = element.id === '' ? '' : `#${element.id}`;
      const classes = [...element.classList].map((one) => `.${one}`).join('');
      return `${element.tagName.toLowerCase()}${id}${classes}`;
    };
    globalThis.designReview = {
      seen: new Set(),
      stop() {
        const element = document.activeElement;
        if (element === null || element === document.body || this.seen.has(element)) return null;
        this.seen.add(element);
        return { element: name(element), same: looks.get(element) === look(element) };
      },
    };
  });
  const found = [];
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => globalThis.designReview.stop());
    if (at === null) break;
    if (at.same) found.push(at.element);
  }
  return found;
}
