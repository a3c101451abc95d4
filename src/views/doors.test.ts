import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { type AuditEntry, recordAudit } from '../audit.ts';
import { renderDoors } from '../cli/print/doors.ts';
import { NotFound } from '../errors.ts';
import { readDoors } from './doors.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const OPENED: AuditEntry = {
  dispatchId: 'd-1',
  conversationId: null,
  agent: 'dev',
  door: 'network',
  action: 'CONNECT files.test:443',
  decision: 'allowed',
  reason: null,
  detail: { verdict: 'opened', sent: 0, received: 0, address: '9.9.9.9' },
  now: AT,
};
const ENDED = { ...OPENED, detail: { verdict: 'ended', sent: 500, received: 4096, ms: 7 }, now: AT + 1000 };
const REFUSED: AuditEntry = {
  ...OPENED,
  action: 'CONNECT other.test:443',
  decision: 'denied',
  reason: 'This host and port are not on the list.',
  detail: { verdict: 'not-allowed', sent: 0, received: 0 },
};
const PACKAGE: AuditEntry = {
  ...OPENED,
  door: 'packages',
  action: 'GET npm left-pad 1.3.0',
  detail: { verdict: 'passed', bytes: 3 * 1024 ** 2 },
};

describeDatabases('what passed the doors', (open) => {
  test('is added up by what was asked and what became of it; other doors are left out', async () => {
    const { rows } = await open();
    const all = [OPENED, ENDED, OPENED, ENDED, REFUSED, PACKAGE, { ...REFUSED, door: 'git' as const }];
    for (const entry of all) await recordAudit(rows, entry);
    const view = await readDoors(rows, { reference: null, denied: false, limit: 10 });
    expect(view.doors).toEqual([
      { door: 'packages', allowed: 1, denied: 0, failed: 0, sent: 0, received: 3 * 1024 ** 2 },
      { door: 'network', allowed: 2, denied: 1, failed: 0, sent: 1000, received: 8192 },
    ]);
    expect(view.entries.map(({ action, verdict, times }) => [action, verdict, times])).toEqual([
      ['GET npm left-pad 1.3.0', 'passed', 1],
      ['CONNECT other.test:443', 'not-allowed', 1],
      ['CONNECT files.test:443', 'opened', 2],
    ]);
    expect(view.entries[2]).toMatchObject({ sent: 1000, received: 8192, last: '2026-01-02T03:04:06.000Z' });
    const text = renderDoors(view);
    expect(text).toContain('network: 2 passed, 1 refused, 0 failed; 1000 B sent, 8.0 KiB received');
    expect(text).toMatch(/network +1 +0 B +0 B +not-allowed +CONNECT other\.test:443: This host/);
    const denied = await readDoors(rows, { reference: null, denied: true, limit: 10 });
    expect(denied.entries.map(({ verdict }) => verdict)).toEqual(['not-allowed']);
    const few = await readDoors(rows, { reference: null, denied: false, limit: 1 });
    expect([few.entries.length, few.more]).toEqual([1, 2]);
  });

  test('of a conversation that does not exist is not empty but not found', async () => {
    const { rows } = await open();
    const asked = readDoors(rows, { reference: 'ada/greeter#7', denied: false, limit: 10 });
    await expect(asked).rejects.toThrow(NotFound);
  });

  test('is a sentence where nobody has asked', async () => {
    const { rows } = await open();
    const view = await readDoors(rows, { reference: null, denied: false, limit: 10 });
    expect(renderDoors(view)).toMatch(/^Nobody has asked/);
  });
});
