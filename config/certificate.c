/* certificate.c - certificates and keys named in the file: there, private, and belonging together.
 *
 * Invariant: OpenSSL's error queue is empty afterwards; a key that wants a passphrase is refused, never asked about.
 */
#include "config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

EB_AUTO_DEFINE(BIO, BIO_free_all)
EB_AUTO_DEFINE(X509, X509_free)
EB_AUTO_DEFINE(ASN1_TIME, ASN1_TIME_free)
EB_AUTO_DEFINE(EVP_PKEY, EVP_PKEY_free)

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    return -1;
}

static BIO *open_pem(const char *path, bool private, struct eb_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        eb_fail(err, EB_INTERNAL, "%s cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    if (private && !file_private(fd, path, err)) {
        close(fd);
        return NULL;
    }
    FILE *file = fdopen(fd, "r");
    if (file == NULL) {
        close(fd);
        eb_fail(err, EB_INTERNAL, "%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    BIO *bio = BIO_new_fp(file, BIO_CLOSE);
    if (bio == NULL) {
        fclose(file);
        eb_fail(err, EB_INTERNAL, "%s cannot be read: out of memory", path);
    }
    return bio;
}

static bool pair_check(const char *certificate, const char *key, bool rsa, struct eb_err *err)
{
    EB_AUTO(BIO, BIO_free_all) certificate_bio = open_pem(certificate, false, err);
    if (certificate_bio == NULL)
        return false;
    EB_AUTO(BIO, BIO_free_all) key_bio = open_pem(key, true, err);
    if (key_bio == NULL)
        return false;
    EB_AUTO(X509, X509_free) x = PEM_read_bio_X509(certificate_bio, NULL, no_passphrase, NULL);
    EB_AUTO(EVP_PKEY, EVP_PKEY_free) k = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);

    if (x == NULL)
        return eb_fail(err, EB_INTERNAL, "%s holds no certificate in PEM form", certificate);
    if (k == NULL)
        return eb_fail(err, EB_INTERNAL, "%s holds no private key in PEM form without a passphrase", key);
    if (X509_check_private_key(x, k) != 1)
        return eb_fail(err, EB_INTERNAL, "the key in %s does not belong to the certificate in %s", key, certificate);
    if (rsa && (!EVP_PKEY_is_a(k, "RSA") || EVP_PKEY_get_bits(k) < 2048))
        return eb_fail(err, EB_INTERNAL, "the key in %s is not an RSA key of at least 2048 bits, as Entra expects", key);
    return true;
}

bool certificate_check(const char *certificate, const char *key, bool rsa, struct eb_err *err)
{
    ERR_clear_error();
    bool good = pair_check(certificate, key, rsa, err);

    ERR_clear_error();
    return good;
}

/* X509's times are ASN.1 texts; the difference to the epoch is what is wanted. */
static bool end_of(const X509 *x, int64_t *ret_ms)
{
    EB_AUTO(ASN1_TIME, ASN1_TIME_free) epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;

    if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(x)) != 1)
        return false;
    *ret_ms = (INT64_C(86400) * days + seconds) * 1000;
    return true;
}

bool config_certificate_end(const char *file, int64_t *ret_ms, struct eb_err *err)
{
    ERR_clear_error();
    EB_AUTO(BIO, BIO_free_all) bio = open_pem(file, false, err);
    if (bio == NULL)
        return false;
    EB_AUTO(X509, X509_free) x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    bool good = x != NULL && end_of(x, ret_ms);
    ERR_clear_error();
    return good || eb_fail(err, EB_INTERNAL, "%s holds no certificate in PEM form, or one without an end", file);
}

bool authorities_check(const char *file, struct eb_err *err)
{
    ERR_clear_error();
    EB_AUTO(BIO, BIO_free_all) bio = open_pem(file, false, err);
    if (bio == NULL)
        return false;
    EB_AUTO(X509, X509_free) x = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    ERR_clear_error();
    return x != NULL || eb_fail(err, EB_INTERNAL, "%s holds no certificate in PEM form", file);
}
