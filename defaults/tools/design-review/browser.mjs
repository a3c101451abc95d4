/** The Chromium of the container. The container is the sandbox, and Chromium's own does not start in it. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PLACES = [
  process.env.CHROMIUM,
  // Debian's wrapper ends where /etc/chromium.d is missing; this is what it starts.
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export async function launch() {
  const executablePath = PLACES.find((place) => place !== undefined && existsSync(place));
  if (executablePath === undefined) {
    throw new Error(
      'there is no Chromium in this container. The operator must put one into the image, or name it in CHROMIUM.',
    );
  }
  return await chromium.launch({ executablePath, headless: true, args: FLAGS });
}
