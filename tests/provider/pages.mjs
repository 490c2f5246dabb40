// What does the person in the browser see? Plain pages; `data-page` says which, every control has an id.

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text) => String(text).replace(/[&<>"']/g, (found) => ENTITIES[found]);

export function page(name, title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<body data-page="${name}"><h1>${escaped(title)}</h1>
${body}
</body></html>`;
}

export function login(action, username, failed) {
  return page(
    'login',
    'Sign in',
    `${failed ? '<p id="error" role="alert">Wrong user name or password</p>' : ''}
<form method="post" action="${escaped(action)}/login">
<label>User name <input id="username" name="username" value="${escaped(username)}" required></label>
<label>Password <input id="password" name="password" type="password" required></label>
<button id="sign-in">Sign in</button></form>
${abort(action)}`,
  );
}

export function consent(action, client, scope) {
  return page(
    'consent',
    'Allow access?',
    `<p><strong id="client">${escaped(client)}</strong> asks for <span id="scope">${escaped(scope)}</span>.</p>
<form method="post" action="${escaped(action)}/consent"><button id="allow">Allow</button></form>
${abort(action)}`,
  );
}

function abort(action) {
  return `<form method="post" action="${escaped(action)}/abort"><button id="deny">Deny</button></form>`;
}

export function deviceCode(form, failed) {
  return page(
    'device-code',
    'Connect a device',
    `${failed ? '<p id="error" role="alert">This code is not known, or it is over</p>' : ''}
${form}<button id="continue" form="op.deviceInputForm">Continue</button>`,
  );
}

export function deviceConfirm(form, client, code) {
  return page(
    'device-confirm',
    'Is this the code on your device?',
    `<p><strong id="client">${escaped(client)}</strong> <code id="code">${escaped(code)}</code></p>
${form}<button id="allow" form="op.deviceConfirmForm">Yes</button>
<button id="deny" form="op.deviceConfirmForm" name="abort" value="yes">No</button>`,
  );
}

export function signOut(form) {
  return page(
    'sign-out',
    'Sign out?',
    `${form}<button id="allow" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button id="deny" form="op.logoutForm">Stay</button>`,
  );
}

export function failure(out) {
  return page(
    'error',
    'This did not work',
    `<p id="error" role="alert">${escaped(out.error)}</p>
<p id="description">${escaped(out.error_description ?? '')}</p>`,
  );
}
