"""Active Directory Federation Services: the token endpoints of AD FS 2019 and AD FS 2016."""
