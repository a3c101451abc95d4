import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { type AuditEntry, recordAudit } from '../audit.ts';
import { renderAudit } from '../cli/print/audit.ts';
import { NotFound } from '../errors.ts';
import { readAudit } from './audit.ts';

const ENTRY: AuditEntry = {
  dispatchId: 'd-1',
  conversationId: null,
  agent: 'dev',
  door: 'git',
  action: 'push refs/heads/main',
  decision: 'denied',
  reason: 'main is the default branch. Push to dev/1.',
  detail: { branch: 'main' },
  now: Date.UTC(2026, 0, 2, 3, 4, 5),
};

describeDatabases('the audit', (open) => {
  test('is read newest first, whole or without what was allowed', async () => {
    const { rows } = await open();
    await recordAudit(rows, ENTRY);
    await recordAudit(rows, {
      ...ENTRY,
      door: 'forge',
      action: 'comment',
      decision: 'allowed',
      reason: null,
    });
    await recordAudit(rows, { ...ENTRY, door: 'model', action: 'GET /v1/models', decision: 'failed' });
    const all = await readAudit(rows, { reference: null, denied: false, limit: 10 });
    expect(all.map((e) => e.action)).toEqual(['GET /v1/models', 'comment', 'push refs/heads/main']);
    const denied = await readAudit(rows, { reference: null, denied: true, limit: 10 });
    expect(denied.map((e) => e.door)).toEqual(['model', 'git']);
    expect(denied[1]).toEqual({
      at: '2026-01-02T03:04:05.000Z',
      door: 'git',
      agent: 'dev',
      conversation: null,
      dispatch: 'd-1',
      action: 'push refs/heads/main',
      decision: 'denied',
      reason: 'main is the default branch. Push to dev/1.',
      detail: { branch: 'main' },
    });
    expect(renderAudit(denied)).toMatch(
      /2026-01-02 03:04:05Z {2}git +dev +denied +push refs\/heads\/main: main is/,
    );
  });

  test('of a conversation that does not exist is not empty but not found', async () => {
    const { rows } = await open();
    const asked = readAudit(rows, { reference: 'ada/greeter#7', denied: false, limit: 10 });
    await expect(asked).rejects.toThrow(NotFound);
  });
});

test('an action of a stranger cannot act on the terminal', () => {
  const entry = { ...ENTRY, at: '2026-01-02T03:04:05.000Z', conversation: null, dispatch: null };
  const text = renderAudit([{ ...entry, action: 'push \u001b[31mrefs/heads/x\u202e' }]);
  expect(text).not.toMatch(/[\u001b\u202e]/);
});
