"""A release file as an archive signs it, and the keys: made once with gpg, for tests alone."""

from __future__ import annotations

XZ_SHA256 = "2" * 64
_TEXT = f"""\
Origin: Example
Suite: stable
Codename: example
Date: Sat, 01 Aug 2026 10:00:00 UTC
Acquire-By-Hash: yes
Architectures: armhf
Components: main
SHA256:
 1111111111111111111111111111111111111111111111111111111111111111  100 main/binary-armhf/Packages
 {XZ_SHA256}   40 main/binary-armhf/Packages.xz
 3333333333333333333333333333333333333333333333333333333333333333   50 main/binary-amd64/Packages.xz
"""


def _signed(signature: str) -> str:
    head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    return f"{head}{_TEXT}{signature}\n"


#: Good since January 2024.
KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZZIAgBYJKwYBBAHaRw8BAQdAfOIdRdsxvKrb6rvfGW3YfS3q43RieXffA4/g
IOBuhJi0KUV4YW1wbGUgQXJjaGl2ZSA8YXJjaGl2ZUBleGFtcGxlLmludmFsaWQ+
iJAEExYIADgWIQTfNA6FCzLTPSkktLeKeThp9lyTdQUCZZIAgAIbAwULCQgHAgYV
CgkICwIEFgIDAQIeAQIXgAAKCRCKeThp9lyTdZhVAQC/a+cF8K0UVTJoCakeJY5g
4IVk5Bx+ec22vig+Zf8M0gEAiFrHrN6gBAKSG1AgCu/UIMx7cC4dwxAhkgZIMS6/
Pgc=
=EakI
-----END PGP PUBLIC KEY BLOCK-----
"""
RELEASE = _signed("""\
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQTfNA6FCzLTPSkktLeKeThp9lyTdQUCZZIAgAAKCRCKeThp9lyT
dRnAAP9x19p1NlQ7wCZyoz0rVDVTsYc6BWm8RqgZ7BnzVBGUwwD+Na8mQn5eynN1
O8cMUQN7ws2JCKdqUE+3zch1Ehz5pwU=
=2XHk
-----END PGP SIGNATURE-----""")

#: Of somebody else.
OTHER_KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZZNSABYJKwYBBAHaRw8BAQdAkllsVJK8kRfuMDeWFhwGpSo9nXYSYCY3cNUv
dpkISnu0KUV4YW1wbGUgQXJjaGl2ZSA8YXJjaGl2ZUBleGFtcGxlLmludmFsaWQ+
iJAEExYIADgWIQRGInzlmWEtRZ0kqQTAmlX9sX1OfQUCZZNSAAIbAwULCQgHAgYV
CgkICwIEFgIDAQIeAQIXgAAKCRDAmlX9sX1OfWMjAP92G7GuwcbVzSGza9Nltlog
pr7930DadFTfoJTnAU+jlwD/QJKI6k+1MNxLN8iwmNjSkuMnZwl2FKQaFljTAExf
vAo=
=SNMh
-----END PGP PUBLIC KEY BLOCK-----
"""

#: Of a time to come, as a board sees every key whose clock stands in the past.
FUTURE_KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEg6p+gBYJKwYBBAHaRw8BAQdAIB3kPdLfQOVvQCrSsXKMwmmLAvGfNgk0VJJS
Ud3zATi0KUV4YW1wbGUgQXJjaGl2ZSA8YXJjaGl2ZUBleGFtcGxlLmludmFsaWQ+
iJAEExYIADgWIQRLK/A1Jp0OCPo+YomtDGXlF/YS5wUCg6p+gAIbAwULCQgHAgYV
CgkICwIEFgIDAQIeAQIXgAAKCRCtDGXlF/YS55fLAQDtKo9LJttaL7+UFQDHcpht
CLqgiJvLbFudwqcbeYAIEgD/Wk1VEyi5YfG7FpOZy+ouff+PVuej52631JZrBgD2
kgE=
=MoFl
-----END PGP PUBLIC KEY BLOCK-----
"""
FUTURE_RELEASE = _signed("""\
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQRLK/A1Jp0OCPo+YomtDGXlF/YS5wUCg6p+gAAKCRCtDGXlF/YS
54pqAQCcfdmkQuWuEmSRIf9NUaz4UGzrIAD640RieSVWGuGWOQD/UwmW+X+dN1Bp
5QqgY3qPJNq31NJrKip1q5KoDzne+gc=
=KtF7
-----END PGP SIGNATURE-----""")
