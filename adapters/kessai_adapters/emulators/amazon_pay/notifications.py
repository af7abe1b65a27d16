"""What Amazon tells the merchant's server: envelopes of its notification service, signed.

An envelope says which object has changed, and neither its state nor its amount. Whoever
receives it asks.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from kessai_adapters.emulators import Notification
from kessai_adapters.emulators.amazon_pay.keys import signing_certificate

CERTIFICATE_PATH: Final = "/SimpleNotificationService-emulator.pem"
CONFIRM_PATH: Final = "/confirm-subscription"
TOPIC: Final = "arn:aws:sns:us-east-1:000000000000:emulator"

_SIGNED: Final = (
    *("Message", "MessageId", "Subject", "SubscribeURL"),
    *("Timestamp", "Token", "TopicArn", "Type"),
)


def signed_text(envelope: Mapping[str, Any]) -> bytes:
    """Return what is signed of an envelope."""
    lines = (f"{n}\n{envelope[n]}\n" for n in _SIGNED if n in envelope)
    return "".join(lines).encode()


def compose(
    number: int, members: Mapping[str, str], *, url: str, base: str, at: datetime
) -> Notification:
    """Make a signed envelope of `members`; its certificate is below `base`."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1

    id_ = f"00000000-0000-0000-0000-{number:012d}"
    envelope = {
        "MessageId": id_,
        "TopicArn": TOPIC,
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": "1",
        "SigningCertURL": f"{base}{CERTIFICATE_PATH}",
        **members,
    }
    key = signing_certificate().key
    # The version 1 of the service's signatures is over SHA-1.
    signature = key.sign(signed_text(envelope), PKCS1v15(), SHA1())  # noqa: S303
    envelope["Signature"] = b64encode(signature).decode()
    return Notification(
        id=id_,
        name=envelope["Type"],
        url=url,
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": envelope["Type"],
        },
        body=json.dumps(envelope).encode(),
    )


def of_change(
    merchant_id: str, kind: str, id_: str, permission: str, number: int
) -> dict[str, str]:
    """Return the members of an envelope about an object that has changed."""
    message = {
        "MerchantID": merchant_id,
        "ObjectType": kind,
        "ObjectId": id_,
        "ChargePermissionId": permission,
        "NotificationType": "STATE_CHANGE",
        "NotificationId": f"n-{number}",
        "NotificationVersion": "V2",
    }
    return {"Type": "Notification", "Message": json.dumps(message)}


def of_subscription(base: str) -> dict[str, str]:
    """Return the members of an envelope that wants its address visited."""
    return {
        "Type": "SubscriptionConfirmation",
        "Message": "visit the SubscribeURL to confirm the subscription",
        "Token": "emulator-token",
        "SubscribeURL": f"{base}{CONFIRM_PATH}?Token=emulator-token",
    }
