import { sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

/**
 * Puts and gets at a constant arrival rate (k6's open model: a store that stalls is asked on all the same, or iterations are dropped, which
 * counts), for e2e/kube/load.ts, which starts it, ends it by SIGINT, and judges what it wrote.
 *
 * No acknowledged write can slip through, since
 * 1. each user of k6 has keys of its own, does one thing at a time, and numbers the writes of a key: a read of a key must give the last
 *    write that was acknowledged before, or one that was sent after it. Reads under load are held to that at once, here.
 * 2. a line of the console says what became of each write, and it is written before the write is counted. What is counted at the end
 *    therefore has a line; the reader compares the two numbers, so that a lost line is noticed.
 * 3. after the load all keys with a line are read back. At least the last acknowledged number must be there, at most the one behind the
 *    last line: the only one that could have been under way when k6 was stopped.
 * 4. a write that may still be done later, because an attempt of it had an unknown outcome, is the last one of its key: later writes go to
 *    a new key, so that what comes late cannot be mistaken for a loss, nor a loss for it.
 *
 * Phases are not known beforehand and last as long as what is done to the cluster: lines have times, and the reader puts them into phases.
 */

const env = (name, otherwise) => __ENV[name] ?? otherwise;
const URLS = env('URLS', 'http://127.0.0.1:7400').split(',');
const RUN = env('RUN', 'run');
const TOKEN = env('TOKEN', '');
const RATE = Number(env('RATE', '100'));
const USERS = Number(env('USERS', '300'));
const KEYS_EACH = Number(env('KEYS_EACH', '3'));
const VALUE_BYTES = Number(env('VALUE_BYTES', '256'));
const WRITE_SHARE = Number(env('WRITE_SHARE', '0.5'));

const ATTEMPT_TIMEOUT = '5s';
/** With all of its attempts. */
const OPERATION_MS_MAX = 15_000;
const PAUSES_SECONDS = [0.05, 0.1, 0.2, 0.5, 1];
/** Refusals after which nothing was done and nothing will be (docs/errors.md), where the answer does not say so itself. */
const UNWRITTEN = [
  'OVERLOADED',
  'SHUTTING_DOWN',
  'NO_LEADER',
  'CLUSTER_WAITING',
  'CLUSTER_FORMING',
  'MEMBER_EXCLUDED',
];
/** Nobody listened: errors of connecting in k6's numbering. */
const isUnsent = (code) => (code >= 1100 && code < 1200) || (code >= 1210 && code < 1220);

/** Answers that are no failures: k6 counts all others in http_req_failed. */
const EXPECTED = { PUT: http.expectedStatuses(204), GET: http.expectedStatuses(200, 404) };

const acknowledgedPuts = new Counter('kvorum_puts_acknowledged');
const readValues = new Counter('kvorum_gets_answered');
const errors = new Counter('kvorum_errors');
const retries = new Counter('kvorum_retries');
const violations = new Counter('kvorum_violations');
const operationMs = new Trend('kvorum_operation_ms', true);

export const options = {
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      exec: 'iteration',
      duration: env('DURATION', '1h'),
      preAllocatedVUs: USERS,
      gracefulStop: '20s',
    },
  },
  thresholds: {
    kvorum_violations: ['count==0'],
    kvorum_errors: [`count<=${env('ERRORS_MAX', '0')}`],
    dropped_iterations: [`count<=${env('DROPPED_MAX', '0')}`],
    kvorum_operation_ms: [`p(99)<${env('P99_MS_MAX', '2000')}`],
  },
  summaryTrendStats: ['med', 'p(99)', 'max'],
  systemTags: ['method', 'status', 'error_code'],
};

/** Of this user alone: what it knows of its keys. A key of which nothing was sent yet would be a read that cannot be wrong. */
const slots = [];
const written = () => slots.filter(({ sent }) => sent > 0);
const drawn = (from) => from[Math.floor(Math.random() * from.length)];

function slotOf(place, generation) {
  const key = `load-${RUN}-${exec.vu.idInTest}-${place}-${generation}`;
  return { key, place, generation, sent: 0, acknowledged: 0 };
}

export function iteration() {
  if (slots.length === 0) for (let place = 0; place < KEYS_EACH; place++) slots.push(slotOf(place, 0));
  const readable = written();
  if (readable.length === 0 || Math.random() < WRITE_SHARE) put(drawn(slots));
  else get(drawn(readable));
}

function put(slot) {
  const n = slot.sent + 1;
  slot.sent = n;
  const value = `${slot.key}#${n} `.padEnd(VALUE_BYTES, 'v');
  const headers = { 'Idempotency-Key': `${slot.key}#${n}` };
  const { response, hasUnknown, ...line } = operation('PUT', slot.key, value, headers);
  const isDone = response.status === 204;
  const outcome = isDone ? 'acknowledged' : hasUnknown ? 'unknown' : 'refused';
  tell({ ...line, op: 'put', key: slot.key, n, outcome });
  if (isDone) {
    slot.acknowledged = n;
    acknowledgedPuts.add(1);
  }
  if (hasUnknown) slots[slot.place] = slotOf(slot.place, slot.generation + 1);
}

function get(slot) {
  const { response, hasUnknown: _, ...line } = operation('GET', slot.key, null, {});
  const isAnswer = response.status === 200 || response.status === 404;
  const problem = isAnswer ? problemOf(slot, response) : undefined;
  const outcome = isAnswer ? 'answered' : 'failed';
  tell({ ...line, op: 'get', key: slot.key, n: slot.acknowledged, outcome, ...(problem && { problem }) });
  if (isAnswer) readValues.add(1);
  if (problem) violations.add(1);
}

/** Refused writes may be skipped: what is there is the last acknowledged one, or a later one that was sent. */
function problemOf({ key, sent, acknowledged }, { status, body }) {
  if (status === 404)
    return acknowledged === 0 ? undefined : `nothing, and write ${acknowledged} was acknowledged`;
  const n = Number(/#(\d+) v*$/.exec(body)?.[1]);
  const isIts = body.startsWith(`${key}#`) && n >= acknowledged && n <= sent;
  return isIts
    ? undefined
    : `${body.slice(0, 80)}, and write ${acknowledged} was acknowledged, ${sent} sent last`;
}

/** The same request until it is answered, refused for good, or too late. Repeated, a put has the same Idempotency-Key and the same value. */
function operation(method, key, body, headers) {
  const start = Date.now();
  const codes = [];
  let hasUnknown = false;
  for (let attempt = 1; ; attempt++) {
    const response = send(method, key, body, headers, attempt);
    const verdict = verdictOf(method, response);
    const isLate = Date.now() - start > OPERATION_MS_MAX;
    if (verdict.type !== 'answer') codes.push(verdict.code);
    if (verdict.type !== 'answer' && !verdict.isUnwritten) hasUnknown = true;
    if (verdict.type === 'retry' && !isLate) {
      retries.add(1);
      sleep(PAUSES_SECONDS[Math.min(attempt, PAUSES_SECONDS.length) - 1]);
      continue;
    }
    if (verdict.type !== 'answer') errors.add(1);
    // A clock of milliseconds is too coarse for one attempt, and k6's own figures leave out the pauses between several.
    const { blocked, connecting, duration } = response.timings;
    const ms = attempt === 1 ? blocked + connecting + duration : Date.now() - start;
    operationMs.add(ms);
    return { response, hasUnknown, t: start, ms: Math.round(ms * 100) / 100, codes };
  }
}

function send(method, key, body, headers, attempt) {
  const url = URLS[(exec.vu.idInTest + attempt) % URLS.length];
  const authorization = TOKEN === '' ? {} : { Authorization: `Bearer ${TOKEN}` };
  return http.request(method, `${url}/v1/kv/default/${key}`, body, {
    headers: { ...headers, ...authorization },
    responseCallback: EXPECTED[method],
    timeout: ATTEMPT_TIMEOUT,
    tags: { name: method, op: method },
  });
}

/** What docs/errors.md says of an answer. */
function verdictOf(method, { status, error_code: errorCode, body }) {
  if (method === 'PUT' ? status === 204 : status === 200 || status === 404) return { type: 'answer' };
  if (status === 0)
    return { type: 'retry', code: `CONNECTION_${errorCode}`, isUnwritten: isUnsent(errorCode) };
  const { code = `STATUS_${status}`, retryable, outcome } = parsed(body);
  const isUnwritten =
    outcome === undefined ? status < 500 || UNWRITTEN.includes(code) : outcome === 'unwritten';
  const isRetriable =
    retryable === true || code === 'MEMBER_EXCLUDED' || (status >= 502 && retryable === undefined);
  return { type: isRetriable ? 'retry' : 'error', code, isUnwritten };
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

const tell = (line) => console.log(JSON.stringify(line));

/** For the reader: k6's own sums, and which thresholds held. */
export function handleSummary({ metrics }) {
  const failed = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).flatMap(([text, { ok }]) => (ok ? [] : [`${name} ${text}`])),
  );
  const count = (name) => metrics[name]?.values.count ?? 0;
  const summary = {
    iterations: count('iterations'),
    dropped: count('dropped_iterations'),
    requests: count('http_reqs'),
    acknowledged: count('kvorum_puts_acknowledged'),
    answered: count('kvorum_gets_answered'),
    errors: count('kvorum_errors'),
    retries: count('kvorum_retries'),
    violations: count('kvorum_violations'),
    failedThresholds: failed,
  };
  return { [env('SUMMARY', 'summary.json')]: JSON.stringify(summary) };
}
