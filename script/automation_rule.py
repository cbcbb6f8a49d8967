"""Automation rules as Jira Cloud exports and imports them: {"cloud": true, "rules": [...]}.

The form of each component was read from public exports and from the automation API (docs/decisions/0032-*.md says which). What is not known to be needed is left
out: Jira fills in ids, owner and scope when it imports.
"""
URL = 'https://entrabridge.example.com'
TOKEN = 'PUT THE TOKEN HERE'        # hidden values are lost on export, so a rule to import cannot have one
ACCOUNT = 'ENTRABRIDGE-ACCOUNT-ID'  # of our Jira account
DONE = 'Resolved'
PROPERTY = 'issue.properties.entrabridge'
WAITING = ('accepted', 'scheduled')             # 202; the second rule goes on
FOR_AGENTS = ('held', 'refused', 'failed', 'partial')    # held is a 202 too, which somebody must release


def component(kind, what, version, value, children=(), conditions=()):
    return {'component': kind, 'schemaVersion': version, 'type': what, 'value': value, 'children': list(children), 'conditions': list(conditions)}


# ---- triggers: as a page says it, and what it is in a rule

def on_status(name):
    return component('TRIGGER', 'jira.issue.event.trigger:transitioned', 1,
                     {'eventKey': 'jira:issue_updated', 'issueEvent': 'issue_generic', 'eventFilters': [], 'fromStatus': [], 'toStatus': [{'type': 'NAME', 'value': name}]})


def on_create():
    return component('TRIGGER', 'jira.issue.event.trigger:created', 1, {'eventKey': 'jira:issue_created', 'issueEvent': 'issue_created', 'eventFilters': []})


def by_hand():
    return component('TRIGGER', 'jira.manual.trigger.issue', 3, {'inputFromUsers': False, 'inputPrompts': [], 'groups': [], 'issueFilter': None, 'jQLFilter': None})


def on_comment():
    return component('TRIGGER', 'jira.issue.event.trigger:commented', 1, {'eventTypes': [], 'eventFilters': []})


# ---- conditions

def compare(first, operator, second):
    return component('CONDITION', 'jira.comparator.condition', 1, {'first': '{{%s}}' % first, 'second': second, 'operator': operator})


def of_request_type(name):
    return compare('issue.requestType.name', 'EQUALS', name)


def branches(*cases):
    """(conditions, any of them?, what is done then): the first that holds; one without conditions is the rest."""
    blocks = [component('CONDITION_BLOCK', 'jira.condition.if.block', 1, {'conditionMatchType': 'ANY' if any_of else 'ALL'}, then, conditions)
              for conditions, any_of, then in cases]
    return component('CONDITION', 'jira.condition.container.block', 1, {}, blocks)


# ---- actions

def header(name, value, hidden=False):
    return {'id': '_header_' + name.lower(), 'name': name, 'value': value, 'headerSecure': hidden}


def web_request(method, path, body=None):
    """The answer is awaited, and a refusal does not end the rule."""
    value = {'url': URL + path, 'method': method, 'headers': [header('Content-Type', 'application/json'), header('x-automation-key', TOKEN, hidden=True)],
             'sendIssue': False, 'contentType': 'custom' if body else 'empty', 'responseEnabled': True, 'continueOnErrorEnabled': True}
    return component('ACTION', 'jira.issue.outgoing.webhook', 1, value | ({'customBody': body} if body else {}))


def comment(text, public):
    return component('ACTION', 'jira.issue.comment', 2, {'comment': text, 'publicComment': public, 'commentVisibility': None, 'sendNotifications': True, 'addCommentOnce': False})


def mail(to, subject, text):
    return component('ACTION', 'jira.issue.outgoing.email', 5,
                     {'fromName': '', 'replyTo': '', 'to': [{'type': 'COPY', 'value': to}], 'cc': [], 'bcc': [], 'subject': subject, 'body': text, 'mimeType': 'text/plain',
                      'convertLineBreaks': True})


def log(text):
    return component('ACTION', 'codebarrel.action.log', 1, text)


def resolve():
    return component('ACTION', 'jira.issue.transition', 11, {'operations': [], 'advancedFields': None, 'sendNotifications': True,
                                                             'destinationStatus': {'type': 'NAME', 'value': DONE}, 'transitionMatch': ''})


def fetch_again(milliseconds):
    return component('ACTION', 'jira.issue.refresh.issue', 1, {'delayMs': milliseconds})


# ---- the two rules of a recipe

def rule(name, description, trigger, components):
    return {'name': name, 'state': 'DISABLED', 'description': description, 'canOtherRuleTrigger': False, 'notifyOnError': 'FIRSTERROR', 'trigger': trigger,
            'components': components, 'projects': [], 'labels': [], 'tags': []}


def hand_over(secret):
    """The link to what was made goes to one person, never into a comment."""
    if secret is None:
        return []
    what, to = secret
    return [mail(to, '{{issue.key}}: the %s' % what,
                 'This link shows the %s once, after a click: {{webhookResponse.body.secretUrl}}\nIt is good until {{webhookResponse.body.secretExpiresAt}}. Hand it to nobody else.' % what)]


def first_rule(recipe):
    done = [*hand_over(recipe.secret), comment('Done. {{webhookResponse.body.message}}', True), resolve()]
    waits = [comment('Taken in hand. {{webhookResponse.body.message}}', True)]
    told = [comment('entrabridge, {{webhookResponse.body.outcome}}: {{webhookResponse.body.message}} ({{webhookResponse.status}} {{webhookResponse.body.code}})', False)]
    silent = [comment('entrabridge gave no answer (status {{webhookResponse.status}}). Look for its comment here; if there is none, run the rule again: a repeat does nothing twice.',
                      False)]
    outcome = 'webhookResponse.body.outcome'

    return rule('entrabridge: ' + recipe.title, f'Asks entrabridge for {recipe.kind}. Before switching it on: the URL, the token, the account id of entrabridge.', recipe.trigger, [
        compare('initiator.accountId', 'NOT_EQUALS', ACCOUNT),
        of_request_type(recipe.request_type),
        web_request('POST', recipe.path, recipe.body),
        branches(
            ([compare(outcome, 'EQUALS', 'succeeded')], False, done),
            ([compare(outcome, 'EQUALS', word) for word in WAITING], True, waits),
            ([compare(outcome, 'EQUALS', word) for word in FOR_AGENTS], True, told),
            ([], False, silent),
        )])


def second_rule(recipe):
    """What was answered 202 has ended: entrabridge has set the issue property and, after it, written its comment, which starts this rule."""
    asked = [web_request('GET', '/v1/operations/{{%s.operation}}' % PROPERTY)] if recipe.secret else []
    done = [*asked, *hand_over(recipe.secret), comment('Done. {{%s.message}}' % PROPERTY, True), resolve()]
    told = [comment('entrabridge, {{%s.outcome}}: {{%s.message}}' % (PROPERTY, PROPERTY), False)]

    return rule(f'entrabridge: {recipe.title}, after a 202', 'Goes on when what the first rule asked for, and was not done at once, has ended.', on_comment(), [
        compare('comment.author.accountId', 'EQUALS', ACCOUNT),
        of_request_type(recipe.request_type),
        fetch_again(5000),
        compare(PROPERTY + '.name', 'EQUALS', recipe.kind),
        # The last twelve digits have no hyphen, which Jira's markup may escape. Without an operation the comment is not looked at.
        compare(PROPERTY + '.operation', 'NOT_EQUALS', ''),
        compare('comment.body', 'CONTAINS', '{{%s.operation.right(12)}}' % PROPERTY),
        branches(
            ([compare(PROPERTY + '.outcome', 'EQUALS', 'succeeded')], False, done),
            ([], False, told),
        )])


def export(*rules):
    return {'cloud': True, 'rules': list(rules)}
