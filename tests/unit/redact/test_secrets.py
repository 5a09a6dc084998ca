"""Secrets are taken out by their key and by their shape, and evidence that only looks like a secret stays."""

from __future__ import annotations

import base64

import pytest

from bot.redact import clean, redact

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0.c2lnbmF0dXJl_-x"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJ\nq83vEfmA==\n-----END RSA PRIVATE KEY-----"

TAKEN_OUT = {
    "header": ("Authorization: Bearer abc.def-123", "Authorization: [redacted]"),
    "header in curl": ('-H "Authorization: Basic dXNlcjpw" https://x', '-H "Authorization: [redacted]" https://x'),
    "header as Go map": ("map[Authorization:[Bearer abcdefgh1]]", "map[Authorization:[[redacted]]]"),
    "header in JSON": ('{"authorization": "Bearer abc12345"}', '{"authorization": "[redacted]"}'),
    "signed header": ("Authorization: AWS4-HMAC-SHA256 Credential=A, Signature=ff", "Authorization: [redacted]"),
    "cookie": ("Cookie: session=abc", "Cookie: [redacted]"),
    "bearer": ("got bearer 0123456789abcdef from", "got bearer [redacted] from"),
    "JWT": (f"x {JWT} y", "x [redacted] y"),
    "private key": (f"{PEM} tail", "[redacted] tail"),
    "encrypted key": (PEM.replace("MII", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,1\n\nMII"), "[redacted]"),
    "cut private key": (PEM[:50], "[redacted]"),
    "key as base64": ("x: " + base64.b64encode(PEM.encode()).decode(), "x: [redacted]"),
    "kubeconfig key": ("client-key-data: AAAA", "client-key-data: [redacted]"),
    "kubeconfig token": ("    token: abcDEF123", "    token: [redacted]"),
    "password": ("MYSQL_PASSWORD=hunter2 rest", "MYSQL_PASSWORD=[redacted] rest"),
    "password of digits": ("password=123456", "password=[redacted]"),
    "shared access signature": ("https://x/y?sig=abc%2F&se=1", "https://x/y?sig=[redacted]&se=1"),
    "Secret in an annotation": (
        '{\\"kind\\":\\"Secret\\",\\"data\\":{\\"a\\":\\"Zm9v\\"}}',
        '{\\"kind\\":\\"Secret\\",\\"data\\":{\\"a\\":\\"[redacted]\\"}}',
    ),
    "quoted password": ('password: "a b\\"c" x', 'password: "[redacted]" x'),
    "escaped password": ('err="x password=\\"a b\\" y"', 'err="x password=\\"[redacted]\\" y"'),
    "password in JSON": ('{"password":"x","user":"y"}', '{"password":"[redacted]","user":"y"}'),
    "flag": ("kubeadm join --token abcdef.0123456789abcdef --x", "kubeadm join --token [redacted] --x"),
    "bootstrap token": ("kubeadm abcdef.0123456789abcdef ok", "kubeadm [redacted] ok"),
    "URL": ("postgres://u:p@ss@host/db", "postgres://u:[redacted]@host/db"),
    "URL with a token": ("https://glpat_0123456789abcdefghij@host/x", "https://[redacted]@host/x"),
    "URL parameter": ("?X-Amz-Signature=abcd&x=1", "?X-Amz-Signature=[redacted]&x=1"),
    "MySQL DSN": ("root:pw@tcp(10.0.0.1:3306)/db", "root:[redacted]@tcp(10.0.0.1:3306)/db"),
    "AWS key": ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
    "environment": ('{"name":"DB_PASSWORD","value":"x1"}', '{"name":"DB_PASSWORD","value":"[redacted]"}'),
    "environment as YAML": ("- name: API_TOKEN\n  value: zzz\n", "- name: API_TOKEN\n  value: [redacted]\n"),
    "Secret": ('{"kind":"Secret","data":{"a":"Zm9v"}}', '{"kind":"Secret","data":{"a":"[redacted]"}}'),
    "Secret as YAML": ("kind: Secret\ndata:\n  a: Zm9v\nother: x", "kind: Secret\ndata:\n  a: [redacted]\nother: x"),
}

LEFT_ALONE = (
    "authorization:\n  mode: Webhook",
    '"authorization":{"mode":"Webhook"}',
    "--authorization-mode=Node,RBAC",
    "Bearer authentication failed",
    "error validating token: token has expired",
    "invalid bearer token, service account token has expired",
    'MountVolume.SetUp failed: references non-existent secret key" secret="default/regcred"',
    "automountServiceAccountToken: true",
    "tokenExpirationSeconds: 3600",
    "secretName: regcred",
    'secrets "regcred" not found',
    'pods "x" is forbidden: cannot get resource "secrets"',
    "https://user@host/path",
    "see https://10.0.0.1:6443/api?timeout=32s",
    '{"name":"LOG_LEVEL","value":"debug"}',
    '{"kind":"ConfigMap","data":{"a":"Zm9v"}}',
    "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
    "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "coredns-5d78c9869d-abcde.kube-system.svc.cluster.local",
)


@pytest.mark.parametrize("name", list(TAKEN_OUT))
def test_a_secret_is_taken_out_and_counted(name: str) -> None:
    """Only the secret goes: what is around it stays readable."""
    before, after = TAKEN_OUT[name]
    assert redact(before) == (after, 1)


@pytest.mark.parametrize("name", list(TAKEN_OUT))
def test_redacting_twice_changes_and_counts_nothing_more(name: str) -> None:
    """Clients and renderers both redact; the count must not grow."""
    once, _ = redact(TAKEN_OUT[name][0])
    assert redact(once) == (once, 0)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_evidence_that_is_no_secret_stays(text: str) -> None:
    """A redacted error message is lost evidence."""
    assert redact(text) == (text, 0)


def test_every_value_of_a_secret_counts() -> None:
    """The count says how much is missing."""
    assert redact('{"kind":"Secret","data":{"a":"Zm9v","b":"YmFy"}}')[1] == 2


def test_an_invisible_letter_does_not_hide_a_secret() -> None:
    """Stripping comes before looking."""
    assert clean("pass\u200bword=hunter2") == ("password=[redacted]", 1)


def test_the_end_of_a_cut_line_does_not_hide_a_secret() -> None:
    """Looking comes before cutting: half a token is a token."""
    text, count = clean("x" * 350 + f" {JWT}", line=400)
    assert (JWT[:20] in text, count) == (False, 1)
